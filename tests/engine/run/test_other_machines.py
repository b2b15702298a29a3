"""Crashes of programs for ARM, and one in a signal handler: the stacks of all threads are those that gdb saw."""

from __future__ import annotations

import json

import pytest

from tests.engine.run.gdb_frames import INLINED, TAIL_CALL, last_component
from tests.engine.run.reports import (
    ask_dump,
    chains,
    directory_source,
    put_breakpad,
    put_elf,
    put_system_rules,
    stacks,
    unpacked,
)
from tests.engine.run.serving import FIXTURES

ARM = FIXTURES / "arm"
CASES = sorted(f"{path.parent.name}/{path.name.partition('.')[0]}" for path in ARM.glob("*/*.dmp.xz"))
STRIPPED = [case for case in CASES if (ARM / case).with_name("stripped.xz").exists()]


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rules")
    put_system_rules(directory)
    for path in sorted(ARM.glob("system_cfi/*.cfi.xz")):
        put_breakpad(directory, unpacked(path))
    return directory_source(directory, id="system")


def source_of(directory, name):
    for path in sorted(ARM.glob(f"*/{name}.xz")):
        put_elf(directory, unpacked(path))
    return directory_source(directory, id=name)


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    return source_of(tmp_path_factory.mktemp("programs"), "program")


@pytest.fixture(scope="session")
def stripped(tmp_path_factory):
    return source_of(tmp_path_factory.mktemp("stripped"), "stripped")


def judged(case):
    """gdb's frames by thread, those of one address together, tail calls left out; the innermost thread first."""
    found = {}
    for thread in json.loads((ARM / f"{case}.json").read_text())["threads"]:
        listed, chain = [], []
        for frame in thread["frames"]:
            if frame["kind"] != TAIL_CALL:
                chain.append(frame)
            if frame["kind"] not in (TAIL_CALL, INLINED):
                listed.append(chain)
                chain = []
        found[thread["tid"]] = listed
    return found


def is_own(chain, case):
    return chain[-1]["module"] == case.partition("/")[0] and chain[-1]["file"]


def assert_address(mine, theirs, case, *, exact):
    """The address that was found, less the bit that marks Thumb code. What was symbolicated stands in the call."""
    found, expected = int(mine[-1]["instruction_addr"], 16), int(theirs[-1]["pc"], 16)
    if mine[-1]["status"] != "symbolicated":
        assert found - (found & case.startswith("armhf")) == expected
    else:
        step = {"amd64": 1, "arm64": 4, "armhf": 2}[case.partition("-")[0]]
        assert found == expected - (0 if exact else step)


def is_exact(chain):
    return chain[-1]["original_index"] == 0 or chain[-1].get("adjust_instruction_addr") is False


def assert_functions(mine, theirs):
    """Lines, files and names. Symbols of Thumb code are not found, which leaves the names of the debug information."""
    assert [frame["lineno"] for frame in mine] == [frame["line"] for frame in theirs]
    assert [frame["filename"] for frame in mine] == [frame["file"].split("/")[-1] for frame in theirs]
    for ours, other in zip(mine, theirs, strict=True):
        assert last_component(ours["function"]) == last_component(other["function"])


def test_no_fixture_is_missing():
    assert len(CASES) == 13
    assert len(STRIPPED) == 3


@pytest.mark.parametrize("case", CASES)
def test_all_threads_read_as_in_gdb(case, engine, programs, system):
    ours = stacks(ask_dump(engine, unpacked(ARM / f"{case}.dmp.xz"), [programs, system]))
    own = 0
    for tid, expected in judged(case).items():
        mine = chains(ours[tid])
        assert len(mine) >= len(expected)
        for at, (chain, theirs) in enumerate(zip(mine, expected, strict=False)):
            assert_address(chain, theirs, case, exact=is_exact(chain))
            assert chain[-1]["trust"] == ("cfi" if at else "context")
            if is_own(theirs, case):
                assert_functions(chain, theirs)
                own += 1
    assert own >= 12


@pytest.mark.parametrize("case", [case for case in CASES if case.endswith("/handler") and "thumb" not in case])
def test_what_a_signal_interrupted_is_named_by_its_very_instruction(case, engine, programs, system):
    """It is the first one of its function: one byte before lies another function with another frame."""
    answer = ask_dump(engine, unpacked(ARM / f"{case}.dmp.xz"), [programs, system])
    names = [chain[-1].get("function") for chain in chains(stacks(answer)[1])]
    assert [name and last_component(name) for name in names[:5]] == ["leaf", "on_signal", None, "at_once", "spin"]


@pytest.mark.parametrize("case", STRIPPED)
def test_arms_own_tables_are_enough(case, engine, stripped, system):
    """Debian's programs for 32-bit ARM have no other unwind information."""
    answer = ask_dump(engine, unpacked(ARM / f"{case}.dmp.xz"), [stripped, system])
    ours = stacks(answer)
    for tid, expected in judged(case).items():
        found = [int(chain[-1]["instruction_addr"], 16) for chain in chains(ours[tid])]
        assert len(found) >= len(expected)
        for mine, theirs in zip(found, expected, strict=False):
            assert mine - int(theirs[-1]["pc"], 16) in (0, 1, -2)
    program = next(module for module in answer["modules"] if module["code_file"].startswith("/opt/stacks/"))
    assert (program["unwind_status"], program["features"]["has_unwind_info"]) == ("found", True)


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("arm64")])
def test_stacks_end_where_threads_begin(case, engine, programs, system):
    answer = ask_dump(engine, unpacked(ARM / f"{case}.dmp.xz"), [programs, system])
    lengths = {tid: len(chains(stack)) for tid, stack in stacks(answer).items()}
    assert lengths == {tid: len(expected) for tid, expected in judged(case).items()}
