"""Dumps of processors that write the highest byte first."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os, open_minidump
from engine.unwind import Ended, ModuleMap, walk
from tests.engine.minidump.writer import Writer
from tests.engine.unwind.support import CODE, STACK, Book, drive, rules_of


def written(cpu, big_endian, stack, *, elsewhere=False):
    dump = Writer(cpu, Os.LINUX, big_endian=big_endian)
    dump.module(CODE, 0x10000, "/opt/program", build_id=bytes(range(20)))
    content = dump.words(*stack)
    registers = (
        {"srr0": CODE + 0x110, "r1": STACK} if cpu in (Cpu.PPC, Cpu.PPC64) else {"pc": CODE + 0x110, "sp": STACK}
    )
    dump.thread(1, registers, stack=None if elsewhere else (STACK, content))
    dump.memory(STACK, content)
    return open_minidump(dump.build())


def walked(dump, text):
    start = dump.start(dump.threads[0])
    book = Book({0: rules_of(text)})
    return drive(walk(start.registers, start.stack, dump.memory, ModuleMap(dump.modules), book, dump.system.os), book)


@pytest.mark.parametrize("big_endian", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
@pytest.mark.parametrize("cpu", [Cpu.MIPS, Cpu.MIPS64])
def test_rules_and_scans_read_the_stack_in_the_byte_order_of_the_dump(cpu, big_endian, elsewhere):
    width = 4 if cpu is Cpu.MIPS else 8
    stack = [0] * (32 // width) + [0] * 8 + [CODE + 0x300] + [0] * 8
    stack[32 // width - 1] = CODE + 0x220
    dump = written(cpu, big_endian, stack, elsewhere=elsewhere)
    text = f"STACK CFI INIT 100 40 .cfa: $sp 32 + .ra: .cfa -{width} + ^\n"

    found = walked(dump, text)

    assert [(frame.address - CODE, frame.trust.value) for frame in found.frames] == [
        (0x110, "context"),
        (0x220, "cfi"),
        (0x300, "scan"),
    ]


@pytest.mark.parametrize("cpu", [Cpu.MIPS, Cpu.MIPS64])
def test_words_at_any_address_are_read_in_the_byte_order_of_the_dump(cpu):
    """A rule that is not of the usual form, and a stack that begins at no whole word."""
    width = 4 if cpu is Cpu.MIPS else 8
    dump = written(cpu, True, [CODE + 0x220, CODE + 0x330])

    found = walked(dump, f"STACK CFI INIT 100 40 .cfa: $sp {2 * width} + .ra: $sp {width} + ^\n")

    assert [frame.address - CODE for frame in found.frames] == [0x110, 0x330]


@pytest.mark.parametrize("cpu", [Cpu.PPC, Cpu.PPC64])
def test_of_processors_that_are_not_walked_memory_keeps_its_byte_order(cpu):
    dump = written(cpu, True, [CODE + 0x220])
    region = dump.memory.find(STACK)
    own = dump.start(dump.threads[0]).stack

    assert not region.is_little
    assert not own.is_little
    assert int.from_bytes(region.data, "big") == CODE + 0x220
    assert walked(dump, "").ended is Ended.CPU
