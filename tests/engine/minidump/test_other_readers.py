"""What other readers of dumps see in the same files: PyPI's `minidump` package and Breakpad's minidump_dump."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from minidump.minidumpfile import MinidumpFile

from engine.minidump import Minidump, open_minidump
from tests.engine.minidump.test_fixtures import CAPTURED, CAPTURES, KNOWN
from tests.engine.shared_fixtures import shared

# The package takes lists that are aligned to eight bytes for ones that are not, and reads nonsense.
ALIGNED = "fixtures/peers/symbolic/minidump/crash_macos.dmp"
FILES = [*(path for path in KNOWN if path != ALIGNED), *(f"{CAPTURES}{name}/{name}.dmp" for name in CAPTURED)]
_FIELD = re.compile(r"^ +\(?([\w.]+)\)?(?:\.(\w+))? += +(.*)$")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The package complains about every dump that is not of Windows."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("path", FILES)
def test_the_minidump_package_sees_the_same(path: str):
    data = shared(path).read_bytes()
    ours, theirs = open_minidump(data), MinidumpFile.parse_bytes(data)
    assert [(m.base, m.size, m.name, m.timestamp, m.checksum) for m in by_number(ours)] == [
        (m.baseaddress, m.size, m.name, m.timestamp, m.checksum) for m in theirs.modules.modules
    ]
    assert [thread.id for thread in ours.threads] == [thread.ThreadId for thread in theirs.threads.threads]
    for thread, other in zip(ours.threads, theirs.threads.threads, strict=True):
        assert thread.stack is not None
        if thread.stack.start == other.Stack.StartOfMemoryRange:
            assert len(thread.stack.data) == other.Stack.MemoryLocation.DataSize
    assert ours.exception is not None
    # It leaves out exceptions with a code of 0, which Crashpad writes for EXC_CRASH.
    for crash in theirs.exception.exception_records:
        record = crash.ExceptionRecord
        assert (ours.exception.thread_id, ours.exception.code) == (crash.ThreadId, record.ExceptionCode_raw)
        assert ours.exception.address == record.ExceptionAddress
    held = {region.start: len(region.data) for region in ours.memory}
    listed = theirs.memory_segments.memory_segments
    assert sum(held.values()) <= sum(segment.size for segment in listed)
    assert {segment.start_virtual_address for segment in listed} >= set(held) - overlapping(ours)


def by_number(dump: Minidump) -> list:
    return sorted(dump.modules, key=lambda module: module.number)


def overlapping(dump: Minidump) -> set[int]:
    """Regions that begin right behind another one, which is where a cut block begins."""
    ends = {region.end for region in dump.memory}
    return {region.start for region in dump.memory if region.start in ends}


@pytest.mark.parametrize("name", CAPTURED)
def test_breakpads_minidump_dump_sees_the_same_registers_and_ids(name: str):
    dump = open_minidump(shared(f"{CAPTURES}{name}/{name}.dmp").read_bytes())
    theirs = list(fields(shared(f"{CAPTURES}{name}/minidump_dump.txt").read_text("utf-8", "replace")))
    contexts = [thread.registers for thread in dump.threads]
    assert dump.exception is not None
    expected = [*contexts, dump.exception.registers]
    for register in ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r12", "r15", "rip"):
        assert [int(value, 16) for key, value in theirs if key == register] == [
            registers.values[register] for registers in expected
        ]
    ids = [(value.strip('"')) for key, value in theirs if key == "code_identifier"]
    assert ids == [module.code_id or "" for module in by_number(dump)]
    ids = [(value.strip('"')) for key, value in theirs if key == "debug_identifier"]
    assert ids == [module.debug_id.breakpad if module.debug_id else "" for module in by_number(dump)]


def fields(text: str) -> Iterator[tuple[str, str]]:
    """Names and values of the lines `name = value`."""
    for line in text.splitlines():
        if match := _FIELD.match(line):
            yield match[1], match[3]
