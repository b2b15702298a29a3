"""Threads: contexts of every processor, names, stacks, and which thread asked for the dump."""

from __future__ import annotations

import struct

import pytest

from engine.minidump import Cpu, DumpThread, Minidump, Os, open_minidump
from tests.engine.minidump.writer import CONTEXTS, Writer

REGISTERS = {
    Cpu.X86: "eip esp ebp ebx esi edi eax ecx edx eflags",
    Cpu.X86_64: "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip",
    Cpu.ARM: "r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r12 fp sp lr pc",
    Cpu.ARM64: " ".join(f"x{number}" for number in range(29)) + " fp lr sp pc",
    Cpu.MIPS: "gp sp fp ra pc s0 s1 s2 s3 s4 s5 s6 s7",
    Cpu.MIPS64: "gp sp fp ra pc s0 s1 s2 s3 s4 s5 s6 s7",
}
THREADS, NAMES, THREADS_EX = 3, 24, 8
STACK = bytes(range(256))


def only(dump: Minidump) -> DumpThread:
    (thread,) = dump.threads
    return thread


def values(cpu: Cpu) -> dict[str, int]:
    """Another value in every register, each as wide as the register."""
    return {
        name: int.from_bytes(bytes(range(at + 1, at + 1 + size)), "big")
        for at, (name, (_, size)) in enumerate(CONTEXTS[cpu].registers.items())
    }


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("cpu", CONTEXTS)
def test_registers_are_read_for_every_processor(cpu: Cpu, big_endian: bool):
    written = values(cpu)
    dump = open_minidump(Writer(cpu, big_endian=big_endian).thread(1, written).build())
    registers = only(dump).registers
    assert registers is not None
    assert registers.cpu is cpu
    assert {name: registers.values[name] for name in written} == written
    assert registers.pc == written.get({"x86": "eip", "x86_64": "rip", "ppc": "srr0", "ppc64": "srr0"}.get(cpu, "pc"))
    assert registers.sp == written.get(
        {"x86": "esp", "x86_64": "rsp", "ppc": "r1", "ppc64": "r1", "sparc": "o6"}.get(cpu, "sp")
    )


@pytest.mark.parametrize("cpu", REGISTERS)
def test_registers_come_in_the_order_of_answers(cpu: Cpu):
    registers = only(open_minidump(Writer(cpu).thread(1, {}).build())).registers
    assert registers is not None
    assert list(registers.values) == REGISTERS[cpu].split()


def test_both_forms_of_arm64_contexts_are_read():
    written = values(Cpu.ARM64)
    for old in (False, True):
        dump = open_minidump(Writer(Cpu.ARM64, old_arm64=old).thread(1, written).build())
        assert only(dump).registers.values == written


def test_windows_arm_contexts_are_read():
    context = struct.pack("<17I", 0x200007, *range(16)) + bytes(348)
    registers = only(open_minidump(Writer(Cpu.ARM, Os.WINDOWS).thread(1, context=context).build())).registers
    assert (registers.pc, registers.sp, registers.values["fp"], registers.values["r12"]) == (15, 13, 11, 12)


@pytest.mark.parametrize(
    "context",
    [b"", bytes(1232), CONTEXTS[Cpu.X86].size * b"\xff", Writer(Cpu.X86_64).context({})[:200]],
    ids=["none", "without flags", "of another processor", "too short"],
)
def test_a_context_that_is_none_costs_the_registers(context: bytes):
    flagged = context[:48] + bytes(4) + context[52:] if len(context) == 716 else context
    dump = open_minidump(Writer().thread(1, context=flagged, stack=(0x1000, STACK)).build())
    assert only(dump).registers is None
    assert bytes(only(dump).stack.data) == STACK


def test_a_context_beyond_the_end_costs_the_registers_and_is_told():
    row = struct.pack("<IIIIQQIIII", 9, 0, 0, 0, 0, 0, 0, 0, 1232, 0xFFFFFF00)
    dump = open_minidump(Writer().stream(THREADS, struct.pack("<I", 1) + row).build())
    assert only(dump).registers is None
    assert [entry.type for entry in dump.damaged] == [THREADS]
    assert "the context of thread 9" in dump.damaged[0].reason


def test_lists_may_be_aligned_to_eight_bytes():
    row = struct.pack("<IIIIQQIIII", 9, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert only(open_minidump(Writer().stream(THREADS, struct.pack("<II", 1, 0) + row).build())).id == 9


def test_the_extended_list_serves_where_there_is_no_other():
    row = struct.pack("<IIIIQQIIII", 9, 0, 0, 0, 0, 0, 0, 0, 0, 0) + bytes(16)
    writer = Writer().stream(THREADS, b"").stream(THREADS_EX, struct.pack("<I", 1) + row)
    assert only(open_minidump(writer.build())).id == 9


@pytest.mark.parametrize("form", ["IQ", "II", "I4xQ"])
def test_names_are_read_in_every_width_of_their_offsets(form: str):
    writer = Writer().thread(1, {}).thread(2, {})
    text = "worker".encode("utf-16-le")
    writer.stream(0x7777, struct.pack("<I", len(text)) + text)
    at = writer.build().index(text) - 4
    names = struct.pack("<I", 2) + struct.pack("<" + form, 2, at) + struct.pack("<" + form, 7, at)
    dump = open_minidump(writer.stream(NAMES, names).build())
    assert [thread.name for thread in dump.threads] == [None, "worker"]


def test_a_name_that_cannot_be_read_costs_only_itself():
    writer = Writer().thread(1, {}, name="kept").thread(2, {}, name="lost")
    data = bytearray(writer.build())
    lost = data.index("lost".encode("utf-16-le")) - 4
    data[lost : lost + 4] = b"\xff" * 4
    dump = open_minidump(bytes(data))
    assert [thread.name for thread in dump.threads] == ["kept", None]
    assert [entry.type for entry in dump.damaged] == [NAMES]


def test_the_stack_is_the_threads_own_region_or_the_one_that_holds_its_stack_pointer():
    writer = (
        Writer()
        .thread(1, {"rsp": 0x1010}, stack=(0x1000, STACK))
        .thread(2, {"rsp": 0x5010}, stack=(0x1000, STACK))
        .thread(3, {"rsp": 0x9999}, stack=(0x1000, STACK))
        .thread(4, {"rsp": 0x5010})
        .thread(5, {"rsp": 0x9999})
        .memory(0x5000, b"other" * 20)
    )
    stacks = [thread.stack for thread in open_minidump(writer.build()).threads]
    assert [stack and stack.start for stack in stacks] == [0x1000, 0x5000, 0x1000, 0x5000, None]


def test_a_stack_is_a_view_of_the_file():
    data = Writer().thread(1, {"rsp": 0x1010}, stack=(0x1000, STACK)).build()
    assert only(open_minidump(data)).stack.data.obj is data


def test_the_thread_that_crashed_starts_where_it_crashed():
    writer = (
        Writer()
        .thread(1, {"rip": 1, "rsp": 0x1010}, stack=(0x1000, STACK))
        .thread(2, {"rip": 2, "rsp": 0x1010}, stack=(0x1000, STACK))
        .memory(0x5000, STACK)
        .exception(2, 11, registers={"rip": 0x77, "rsp": 0x5004})
        .breakpad_info(1, 1)
    )
    dump = open_minidump(writer.build())
    first, second = (dump.start(thread) for thread in dump.threads)
    assert (first.registers.pc, first.stack.start) == (1, 0x1000)
    assert (second.registers.pc, second.stack.start) == (0x77, 0x5000)
    assert dump.threads[1].registers.pc == 2
    assert (dump.requesting_thread, dump.dump_thread) == (2, 1)


@pytest.mark.parametrize(("written", "expected"), [((3, 4), (3, 4)), ((None, 4), (None, 4)), ((3, None), (3, None))])
def test_breakpad_says_who_wrote_the_dump_and_who_asked(written: tuple[int, int], expected: tuple[int, int]):
    dump = open_minidump(Writer().breakpad_info(*written).build())
    assert (dump.dump_thread, dump.requesting_thread) == expected
    assert dump.crash_reason == ""


def test_nobody_asked_for_a_dump_without_either():
    dump = open_minidump(Writer().thread(1, {}).build())
    assert (dump.dump_thread, dump.requesting_thread, dump.exception) == (None, None, None)
