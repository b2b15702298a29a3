"""A crash of 20 threads over 30 libraries: what Breakpad's stack walker prints for it is what the engine answers."""

from __future__ import annotations

import re
import threading

import pytest

from bench import workload
from tests.engine.run.gdb_frames import bare
from tests.engine.run.reports import BENCH, ask_dump, chains, directory_source, put, put_system_rules, unpacked


@pytest.fixture(scope="session")
def symbols(tmp_path_factory):
    directory = tmp_path_factory.mktemp("generated")
    for path, data in workload.symbol_files().items():
        put(directory, path, data)
    put_system_rules(directory)
    return directory_source(directory)


@pytest.fixture(scope="session")
def dump():
    return unpacked(BENCH / "gen.dmp.xz")


def printed():
    """Module and function of every frame by thread, up to `_start`: what the walker prints behind that is invented."""
    stacks = {}
    for line in unpacked(BENCH / "gen.stackwalk.txt.xz").decode().splitlines():
        if re.match(r"[0-9]+\|", line):
            thread, _, module, function, *_ = line.split("|")
            stack = stacks.setdefault(int(thread), [])
            if not stack or stack[-1][1] != "_start":
                stack.append((module, function))
    return list(stacks.values())


def test_all_threads_read_as_the_stack_walker_prints_them(engine, symbols, dump):
    answer = ask_dump(engine, dump, [symbols])
    theirs = printed()
    physical = 0
    for stack, expected in zip(answer["stacktraces"], theirs, strict=True):
        ours = [chain[-1] for chain in chains(stack)]
        assert [frame["package"].rpartition("/")[2] for frame in ours] == [module for module, _ in expected]
        for frame, (_, function) in zip(ours, expected, strict=True):
            if frame["status"] == "symbolicated":
                assert bare(frame["function"]) == bare(function)
        assert {frame["trust"] for frame in ours} == {"context", "cfi"}
        physical += len(ours)
    assert physical == sum(map(len, theirs)) == 1087


def test_a_second_time_nothing_is_looked_up_or_opened(engine, symbols, dump, monkeypatch):
    first = ask_dump(engine, dump, [symbols])
    for place in ("engine.run.resolved.find_symcache", "engine.run.unwound.find_cficache", "mmap.mmap"):
        monkeypatch.setattr(place, None)
    assert ask_dump(engine, dump, [symbols]) == first


def test_two_dumps_at_the_same_time_share_what_they_look_up(engine, symbols, dump, monkeypatch):
    asked = []
    from engine.run import unwound

    find = unwound.find_cficache

    def counted(wanted, *arguments, **fields):
        asked.append(wanted.code_file)
        return find(wanted, *arguments, **fields)

    monkeypatch.setattr(unwound, "find_cficache", counted)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask_dump(engine, dump, [symbols], scope="shared")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers[0] == answers[1]
    assert len(asked) == len(set(asked)) > 30
