"""Seven real crashes from the dump to the names: what gdb saw in the core of the same process."""

from __future__ import annotations

from pathlib import Path

import pytest
from symbolic import Archive

from tests.engine.run.gdb_frames import CRASHES, OWN, assert_same_chain, physical, seen
from tests.engine.run.reports import (
    as_walked,
    ask_dump,
    chains,
    directory_source,
    put_elf,
    put_own_files,
    put_system_rules,
    stacks,
    unpacked,
)
from tests.engine.run.serving import FIXTURES

SYSTEM = Path("/lib/x86_64-linux-gnu")


@pytest.fixture(scope="session")
def own_symbols(tmp_path_factory):
    directory = tmp_path_factory.mktemp("own")
    put_own_files(directory)
    return directory_source(directory)


@pytest.fixture(scope="session")
def system_rules(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rules")
    put_system_rules(directory)
    return directory_source(directory, id="rules")


def dump(crash):
    return unpacked(FIXTURES / f"crash/{crash}.dmp.xz")


def own(chain):
    """Whether a chain of gdb's or of ours lies in the program."""
    module = chain[-1].get("module") or chain[-1].get("package", "").rpartition("/")[2]
    return module in OWN


@pytest.mark.parametrize("crash", CRASHES)
def test_the_crashed_thread_needs_the_programs_symbols_only(crash, engine, own_symbols):
    answer = ask_dump(engine, dump(crash), [own_symbols])
    theirs = next(thread for thread in seen(crash)["threads"] if thread["crashed"])
    crashed = stacks(answer)[theirs["tid"]]
    ours = [chain for chain in chains(crashed) if own(chain)]
    expected = [chain for chain in physical(theirs) if own(chain)]

    assert [stack["is_requesting"] for stack in answer["stacktraces"]].count(True) == 1
    assert crashed["is_requesting"]
    assert len(expected) >= 10
    for mine, other in zip(ours[: len(expected)], expected, strict=True):
        assert as_walked(mine) == int(other[-1]["pc"], 16)
        assert_same_chain(mine, other)
    # What gdb does not show is what called main.
    assert [chain[-1]["function"] for chain in ours[len(expected) :]] in ([], ["_start"])


def assert_all_threads_as_gdb(answer, crash):
    ours = stacks(answer)
    for theirs in seen(crash)["threads"]:
        mine, expected = chains(ours[theirs["tid"]]), physical(theirs)
        assert [as_walked(chain) for chain in mine[: len(expected)]] == [int(c[-1]["pc"], 16) for c in expected]
        rest = [chain[-1] for chain in mine[len(expected) :]]
        assert len(rest) in (0, 3)
        assert not rest or rest[-1]["function"] == "_start"
        assert {frame["trust"] for frame in ours[theirs["tid"]]["frames"]} == {"context", "cfi"}
        for chain, other in zip(mine, expected, strict=False):
            if own(other):
                assert_same_chain(chain, other)


@pytest.mark.parametrize("crash", CRASHES)
def test_all_threads_read_as_in_gdb_with_the_rules_of_the_system_libraries(crash, engine, own_symbols, system_rules):
    answer = ask_dump(engine, dump(crash), [own_symbols, system_rules], explain=True)
    assert_all_threads_as_gdb(answer, crash)
    assert not [stack for stack in answer["stacktraces"] if "diagnosis" in stack]


@pytest.fixture(scope="session")
def system_libraries(tmp_path_factory):
    directory = tmp_path_factory.mktemp("system")
    for path in sorted((FIXTURES / "system_cfi").glob("*.cfi.xz")):
        name = unpacked(path).split(b"\n", 1)[0].decode().split(" ", 4)[4]
        library = SYSTEM / name
        if not library.exists():
            pytest.skip(f"{library} is not there")
        data = library.read_bytes()
        if next(Archive.from_bytes(data).iter_objects()).code_id != path.name.partition(".")[0]:
            pytest.skip(f"{library} is not the build that the crash dumps ran with")
        put_elf(directory, data)
    return directory_source(directory, id="system")


@pytest.mark.parametrize("crash", ["abrt-main-nofp", "segv-worker-fp"])
def test_all_threads_read_as_in_gdb_with_the_machines_own_libraries(crash, engine, own_symbols, system_libraries):
    assert_all_threads_as_gdb(ask_dump(engine, dump(crash), [own_symbols, system_libraries]), crash)


def test_a_guessed_stack_says_from_where_on_and_what_would_mend_it(engine, own_symbols):
    answer = ask_dump(engine, dump("segv-worker-nofp"), [own_symbols], explain=True)
    crashed = next(stack for stack in answer["stacktraces"] if stack["is_requesting"])
    diagnosis = crashed["diagnosis"]
    trusts = {frame["original_index"]: frame["trust"] for frame in crashed["frames"]}
    guessed = diagnosis["guessed_from"]

    assert [trusts[at] for at in (guessed - 1, guessed)] == ["cfi", "scan"]
    assert diagnosis["file"] == "libstdc++.so.6"
    assert answer["modules"][diagnosis["module"]]["code_file"].endswith("/libstdc++.so.6")
    assert diagnosis["text"] == (
        f"From frame {guessed} on this stack is guessed: no unwind information for libstdc++.so.6 was found. "
        "A source that has libstdc++.so.6 itself (289ee39f8c07bd4fa48102dfeeb7e6f9c76158b4) would mend that."
    )


def test_nothing_is_explained_unless_asked_for(engine, own_symbols):
    answer = ask_dump(engine, dump("segv-worker-nofp"), [own_symbols])
    assert list(answer) == [
        "status", "timestamp", "system_info", "crashed", "crash_reason", "assertion", "stacktraces", "modules",
    ]  # fmt: skip
    assert not [stack for stack in answer["stacktraces"] if "diagnosis" in stack]


def test_the_answer_tells_of_the_crash(engine, own_symbols):
    answer = ask_dump(engine, dump("segv-worker-nofp"), [own_symbols])
    assert (answer["crashed"], answer["crash_reason"], answer["assertion"]) == (
        True,
        "SIGSEGV / SEGV_MAPERR / 0x10",
        "",
    )
    assert answer["system_info"] == {
        "os_name": "Linux",
        "os_version": "6.18.44-fc-v509",
        "os_build": "#1 SMP PREEMPT_DYNAMIC @0",
        "cpu_arch": "x86_64",
        "device_model": "",
    }
    crashed = next(stack for stack in answer["stacktraces"] if stack["is_requesting"])
    registers = crashed["registers"]
    assert list(registers) == sorted(registers)
    assert len(registers) == 17
    assert registers["rip"] == crashed["frames"][0]["instruction_addr"]


def test_modules_say_how_unwinding_went(engine, own_symbols):
    answer = ask_dump(engine, dump("segv-worker-nofp"), [own_symbols])
    said = {module["code_file"].rpartition("/")[2]: module for module in answer["modules"]}
    statuses = {name: (module["debug_status"], module["unwind_status"]) for name, module in said.items()}
    assert statuses == {
        "crashy": ("found", "found"),
        "libledger.so": ("found", "found"),
        "libc.so.6": ("missing", "missing"),
        "libstdc++.so.6": ("missing", "missing"),
        "libm.so.6": ("unused", "unused"),
        "libgcc_s.so.1": ("unused", "unused"),
        "linux-gate.so": ("unused", "unused"),
        "ld-linux-x86-64.so.2": ("unused", "unused"),
    }
    addresses = [int(module["image_addr"], 16) for module in answer["modules"]]
    assert addresses == sorted(addresses)
