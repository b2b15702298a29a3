"""Whole stacks of processors that no captured dump covers, with rules as compilers write them."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os, open_minidump
from engine.unwind import Ended
from tests.engine.minidump.writer import Writer
from tests.engine.unwind.support import CODE, STACK, Machine, found, walk_dump

A, B = CODE, 0x60_0000
ARM64_RULES = """STACK CFI INIT 0 100 .cfa: sp 0 + .ra: x30
STACK CFI INIT 100 100 .cfa: sp 0 + .ra: x30
STACK CFI 104 .cfa: sp 32 + x29: .cfa -32 + ^ .ra: .cfa -24 + ^
STACK CFI 10c x19: .cfa -16 + ^
STACK CFI 1f0 .cfa: sp 0 +
STACK CFI INIT 200 100 .cfa: sp 0 + .ra: x30
STACK CFI 204 .cfa: sp 16 + x29: .cfa -16 + ^ .ra: .cfa -8 + ^
STACK CFI 208 .cfa: x29 16 +
STACK CFI INIT 300 40 .cfa: sp 0 +
"""
SIGNATURE = 0x00D3_8000_0000_0000


def arm64_stack() -> list[int]:
    """A leaf, called by a function that calls itself once, called by one with a frame pointer, called by the first."""
    recursive = [STACK + 0x40, A + 0x180, 19, 0, STACK + 0x40, (A + 0x240) | SIGNATURE, 19, 0]
    with_frame = [0, (A + 0x310) | SIGNATURE]
    return [*recursive, *with_frame, 0, 0]


def test_arm64_walks_leaf_recursion_signed_addresses_and_frames() -> None:
    registers = {"pc": A + 0x10, "lr": (A + 0x150) | SIGNATURE, "sp": STACK, "fp": 1, "x19": 5}
    walked = Machine(Cpu.ARM64, Os.ANDROID, {0: ARM64_RULES}).walk(registers, arm64_stack())
    expected = [A + 0x10, A + 0x150, A + 0x180, A + 0x240, A + 0x310]
    assert [frame.address for frame in walked.frames] == expected
    assert {frame.trust.value for frame in walked.frames[1:]} == {"cfi"}
    assert walked.ended == Ended.BOTTOM


def test_arm64_takes_the_rows_that_hold_at_the_call() -> None:
    """In the prologue, before anything was saved, the link register is still the way back."""
    registers = {"pc": A + 0x100, "lr": A + 0x310, "sp": STACK + 0x50, "fp": 1}
    walked = Machine(Cpu.ARM64, Os.ANDROID, {0: ARM64_RULES}).walk(registers, arm64_stack())
    assert [frame.address for frame in walked.frames] == [A + 0x100, A + 0x310]


ARM_RULES = """STACK CFI INIT 0 40 .cfa: sp 0 + .ra: lr
STACK CFI INIT 40 40 .cfa: sp 0 + .ra: lr
STACK CFI 42 .cfa: sp 8 + r4: .cfa -8 + ^ lr: .cfa -4 + ^ .ra: .cfa -4 + ^
STACK CFI 44 .cfa: sp 16 +
STACK CFI INIT 80 40 .cfa: sp 0 + .ra: lr
STACK CFI 82 .cfa: sp 8 + r11: .cfa -8 + ^ .ra: .cfa -4 + ^
STACK CFI 86 .cfa: r11 8 +
"""


def test_arm_walks_a_leaf_and_frames() -> None:
    stack = [0, 0, 4, A + 0x91, STACK + 24, A + 0x93, 0, A + 0x45, 44, B + 0x11, 0]
    registers = {"pc": A + 0x10, "lr": A + 0x51, "sp": STACK, "r4": 0, "fp": STACK + 16}
    walked = Machine(Cpu.ARM, Os.ANDROID, {0: ARM_RULES}).walk(registers, stack)
    assert [frame.address for frame in walked.frames] == [A + 0x10, A + 0x51, A + 0x91, A + 0x93, A + 0x45, B + 0x11]
    assert {frame.trust.value for frame in walked.frames[1:]} == {"cfi"}


MIPS_RULES = """STACK CFI INIT 0 40 .cfa: $sp 0 + .ra: $ra
STACK CFI INIT 40 40 .cfa: $sp 0 + .ra: $ra
STACK CFI 44 .cfa: $sp 32 + .ra: .cfa -{near} + ^ $s8: .cfa -{far} + ^ $s0: .cfa -{farther} + ^
STACK CFI 4c .cfa: $s8 32 +
"""


@pytest.mark.parametrize(("cpu", "width"), [(Cpu.MIPS, 4), (Cpu.MIPS64, 8)])
def test_mips_walks_a_leaf_and_frames_and_scans_on(cpu: Cpu, width: int) -> None:
    rules = MIPS_RULES.format(near=width, far=2 * width, farther=3 * width)
    per_frame = 32 // width
    frame = [0] * (per_frame - 3) + [1, STACK + 32, A + 0x60]
    last = [0] * (per_frame - 3) + [2, 0, B + 0x10]
    registers = {"pc": A + 0x10, "ra": A + 0x58, "sp": STACK, "fp": STACK, "s0": 0}
    walked = Machine(cpu, Os.LINUX, {0: rules}).walk(registers, [*frame, *last, 0, B + 0x20])
    assert found(walked) == [
        (A + 0x10, "context"),
        (A + 0x58, "cfi"),
        (A + 0x60, "cfi"),
        (B + 0x10, "cfi"),
        (B + 0x20, "scan"),
    ]


def test_a_call_on_mips_lies_before_its_delay_slot() -> None:
    rules = "STACK CFI INIT 0 40 .cfa: $sp 4 + .ra: .cfa -4 + ^\nSTACK CFI INIT 40 40 .cfa: $sp 8 + .ra: .cfa -4 + ^"
    registers = {"pc": A, "ra": 0, "sp": STACK, "fp": 0}
    walked = Machine(Cpu.MIPS, texts={0: rules}).walk(registers, [A + 0x44, B + 0x10, A + 0x20])
    assert [frame.address for frame in walked.frames][:3] == [A, A + 0x44, B + 0x10]


@pytest.mark.parametrize(
    ("cpu", "registers"),
    [
        (Cpu.ARM64, {"pc": 0x10010, "sp": 0x7000, "fp": 0x7000, "lr": 0}),
        (Cpu.X86, {"eip": 0x10010, "esp": 0x7000, "ebp": 0x7000}),
        (Cpu.X86_64, {"rip": 0x10010, "rsp": 0x7000, "rbp": 0x7000}),
    ],
)
def test_stacks_of_dumps_are_walked(cpu: Cpu, registers: dict[str, int]) -> None:
    width = 4 if cpu.is_narrow else 8
    frames = [0x7000 + 2 * width, 0x10020, 0x7000 + 4 * width, 0x10030, 0x7000 + 5 * width, 0x10040, 0, 0]
    stack = b"".join(word.to_bytes(width, "little") for word in frames)
    dump = Writer(cpu, Os.LINUX)
    dump.module(0x10000, 0x4000, "/lib/libc.so", build_id=bytes(range(20)))
    dump.thread(1, registers, stack=(0x7000, stack), name="main")
    walked = walk_dump(open_minidump(dump.build()), {})[0]
    assert found(walked)[:3] == [(0x10010, "context"), (0x10020, "fp"), (0x10030, "fp")]
