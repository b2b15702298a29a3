"""Stacks that go through a signal handler: what was interrupted did not wait for a call."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os, Region
from engine.unwind import Ended
from tests.engine.unwind.support import CODE, STACK, Machine, words
from tests.engine.unwind.test_frame_pointer import steps

# The handler at 0, the code it returns to at 0x100, another function up to 0x200, and the one that was interrupted.
RULES = """STACK CFI INIT 0 40 .cfa: $rsp 16 + .ra: .cfa -8 + ^
STACK CFI INIT 100 10 .cfa: $rsp 16 + ^ .ra: $rsp 8 + ^ $rbx: $rsp ^{signal}
STACK CFI INIT 1f0 10 .cfa: $rsp 800 + .ra: .cfa -8 + ^
STACK CFI INIT 200 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^
STACK CFI INIT 300 10 .cfa: $rsp 8 + .ra: .undef
"""
SIGNAL = RULES.format(signal=" .signal: 1")
REGISTERS = {"rip": CODE + 0x10, "rsp": STACK, "rbp": 0}


def interrupted(sp):
    """Handler's frame, then what the kernel saved: rbx, rip, rsp."""
    return [0, CODE + 0x108, 5, CODE + 0x200, sp]


def test_the_rule_of_the_interrupted_instruction_holds_though_it_is_the_first_of_its_function():
    walked = Machine(texts={0: SIGNAL}).walk(REGISTERS, [*interrupted(STACK + 48), 0, CODE + 0x308, 0])

    assert steps(walked) == [(CODE + 0x108, "cfi"), (CODE + 0x200, "cfi"), (CODE + 0x308, "cfi")]
    assert walked.exact == (1, 2)
    assert walked.ended is Ended.BOTTOM


def test_without_word_of_a_signal_the_address_is_taken_for_a_return_address():
    walked = Machine(texts={0: RULES.format(signal="")}).walk(REGISTERS, [*interrupted(STACK + 48), 0, CODE + 0x308, 0])

    assert (CODE + 0x308, "cfi") not in steps(walked)
    assert walked.exact == ()


def test_a_handler_may_have_had_a_stack_of_its_own_above():
    below = Region(STACK - 0x10000, words(0, [CODE + 0x308, 0]).data)
    machine = Machine(texts={0: SIGNAL}, elsewhere=(below,))

    walked = machine.walk(REGISTERS, [*interrupted(below.start), 0])

    assert [address for address, _ in steps(walked)] == [CODE + 0x108, CODE + 0x200, CODE + 0x308]


def test_a_signal_may_arrive_in_a_handler():
    """The walk ends at the limit of frames, whatever the stack says."""
    walked = Machine(texts={0: SIGNAL}).walk(REGISTERS, [0, CODE + 0x108, 5, CODE + 0x10, STACK], limit=64)

    assert len(walked.frames) == 64
    assert walked.exact[:4] == (1, 2, 3, 4)
    assert walked.ended is Ended.LIMIT


def test_an_interrupted_leaf_of_arm_has_its_callers_stack_pointer():
    text = """STACK CFI INIT 0 40 .cfa: sp 8 + .ra: .cfa -4 + ^
STACK CFI INIT 100 10 .cfa: sp 4 + ^ .ra: sp 12 + ^ lr: sp 8 + ^ r4: sp ^ .signal: 1
STACK CFI INIT 200 10 .cfa: sp 0 + .ra: lr
STACK CFI INIT 300 40 .cfa: sp 8 + .ra: .undef
"""
    stack = [0, CODE + 0x105, 4, STACK + 32, CODE + 0x311, CODE + 0x200, 0, 0, 0, 0]

    walked = Machine(Cpu.ARM, texts={0: text}).walk({"pc": CODE + 0x10, "sp": STACK}, stack)

    assert [address for address, _ in steps(walked)] == [CODE + 0x105, CODE + 0x200, CODE + 0x311]
    assert walked.ended is Ended.BOTTOM


ARM64_RULES = "STACK CFI INIT 0 40 .cfa: sp 16 + .ra: .cfa -8 + ^\nSTACK CFI INIT 200 10 .cfa: sp 0 + .ra: .undef\n"
TRAMPOLINE = 0x7F00_0000_1000
FLOATING = 528 << 32 | 0x46508001


def arm64_stack(signal=11, mark=FLOATING, pc=CODE + 0x200):
    kernels = [0] * 80
    kernels[0], kernels[74] = signal, mark
    kernels[39:73] = [*range(29), 290, 300, STACK + 800, pc, 0]
    return [0, TRAMPOLINE, *kernels, *[0] * 40]


@pytest.mark.parametrize("os", [Os.LINUX, Os.ANDROID])
def test_linux_frames_of_arm64_are_known_by_what_the_kernel_writes(os):
    walked = Machine(Cpu.ARM64, os, {0: ARM64_RULES}).walk({"pc": CODE + 0x10, "sp": STACK}, arm64_stack())

    assert steps(walked) == [(TRAMPOLINE, "cfi"), (CODE + 0x200, "cfi")]
    assert walked.exact == (1, 2)
    assert walked.ended is Ended.BOTTOM


@pytest.mark.parametrize(
    ("os", "stack"),
    [
        (Os.IOS, arm64_stack()),
        (Os.LINUX, arm64_stack(signal=0)),
        (Os.LINUX, arm64_stack(signal=65)),
        (Os.LINUX, arm64_stack(mark=FLOATING + 1)),
        (Os.LINUX, arm64_stack(pc=0)),
        (Os.LINUX, arm64_stack()[:70]),
    ],
)
def test_anything_else_is_not_taken_for_one(os, stack):
    walked = Machine(Cpu.ARM64, os, {0: ARM64_RULES}).walk({"pc": CODE + 0x10, "sp": STACK}, stack)

    assert walked.exact == ()


def test_the_first_frame_is_not_one_that_a_handler_returns_to():
    stack = arm64_stack()[2:]
    walked = Machine(Cpu.ARM64, Os.LINUX, {0: ARM64_RULES}).walk({"pc": TRAMPOLINE, "sp": STACK}, stack)

    assert walked.exact == ()
