"""Following frame pointers, per processor."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os
from engine.unwind import Ended
from tests.engine.unwind.support import CODE, STACK, Machine, Module, words

X64 = {"rip": CODE, "rsp": STACK, "rbp": STACK + 16}


def steps(walked) -> list[tuple[int, str]]:
    return [(frame.address, frame.trust.value) for frame in walked.frames][1:]


def test_x86_takes_what_it_reads() -> None:
    walked = Machine(Cpu.X86, Os.WINDOWS).walk(
        {"eip": CODE, "esp": STACK, "ebp": STACK + 4}, [0, STACK + 12, 0x9999_9999, STACK, 0x600010]
    )
    assert steps(walked) == [(0x9999_9999, "fp"), (0x600010, "fp")]


def test_x86_needs_both_words() -> None:
    walked = Machine(Cpu.X86).walk({"eip": CODE, "esp": STACK, "ebp": STACK + 4}, [0x600010, 0])
    assert steps(walked) == [(0x600010, "scan")]


def test_x86_64_follows_a_chain_of_frames() -> None:
    stack = [0, 0, STACK + 40, 0x600010, 0, STACK + 48, 0x600020, 0]
    assert steps(Machine().walk(X64, stack))[:1] == [(0x600010, "fp")]


@pytest.mark.parametrize(
    ("above", "pc", "why"),
    [
        (STACK + 24, 0x600010, "the caller's frame lies below its stack pointer"),
        (STACK + 0x1000, 0x600010, "the caller's frame cannot be read"),
        (STACK + 40, 1 << 60, "the address is not canonical"),
        (STACK + 40, 0, "the address is null"),
        (STACK + 40, STACK + 8, "the address lies on the stack, where there is no code"),
    ],
)
def test_x86_64_refuses_what_cannot_be_a_frame(above: int, pc: int, why: str) -> None:
    walked = Machine().walk(X64, [0, 0, above, pc, 0, 0, 0, 0])
    assert "fp" not in [trust for _, trust in steps(walked)], why


def test_x86_64_needs_a_stack_that_grows_and_can_be_read() -> None:
    below = {"rip": CODE, "rsp": STACK + 32, "rbp": STACK}
    assert "fp" not in [trust for _, trust in steps(Machine().walk(below, [STACK + 40, 0x600010, 0, 0, 0, 0]))]


@pytest.mark.parametrize("offset", [16, 240])
def test_windows_frame_registers_may_point_below_the_frame(offset: int) -> None:
    count = offset // 8
    stack = [0, 0, *[0] * count, STACK + 16 + offset + 24, 0x600010, 0, 0]
    windows = Machine(os=Os.WINDOWS)
    assert steps(windows.walk(X64, stack))[0] == (0x600010, "fp")
    assert steps(Machine(os=Os.LINUX).walk(X64, stack))[:1] != [(0x600010, "fp")]


def test_windows_frame_registers_point_no_further_below() -> None:
    stack = [0, 0, *[0] * 32, STACK + 16 + 256 + 24, 0x600010, 0, 0]
    assert steps(Machine(os=Os.WINDOWS).walk(X64, stack))[0] == (0x600010, "scan")


ARM64 = {"pc": CODE, "lr": 0, "sp": STACK, "fp": STACK + 16}


def test_arm64_strips_signatures_off_return_addresses() -> None:
    signed = 0x00A5_8000_0000_0000 | 0x600010
    walked = Machine(Cpu.ARM64, Os.MACOS).walk(ARM64, [0, 0, STACK + 40, signed, 0, 0, 0x600020, 0, 0])
    assert steps(walked)[:2] == [(0x600010, "fp"), (0x600020, "fp")]


def test_arm64_keeps_as_many_bits_as_modules_need() -> None:
    high = Module(1 << 50, 0x1000)
    walked = Machine(Cpu.ARM64, modules=(high,)).walk(ARM64, [0, 0, 0, (1 << 50) + 4 | 1 << 55, 0])
    assert steps(walked) == [((1 << 50) + 4, "fp")]


@pytest.mark.parametrize("pc", [0xFFF, 0])
def test_arm64_refuses_addresses_where_no_code_is(pc: int) -> None:
    assert steps(Machine(Cpu.ARM64).walk(ARM64, [0, 0, STACK + 40, pc, 0, 0])) == []


def test_arm64_ends_the_chain_at_a_null_frame_pointer() -> None:
    walked = Machine(Cpu.ARM64).walk({**ARM64, "fp": 0}, [0, 0, 0, 0])
    assert (steps(walked), walked.ended) == ([], Ended.NO_CALLER)


def test_arm64_recovers_the_link_register_of_the_caller() -> None:
    """The caller's caller is where the link register pointed: a leaf's rule finds it there."""
    leaf = "STACK CFI INIT 0 1000 .cfa: sp 0 + .ra: x30"
    stack = [0, 0, STACK + 40, 0x600010, 0, 0, CODE + 0x40, 0, 0]
    walked = Machine(Cpu.ARM64, texts={1: leaf}).walk(ARM64, stack)
    assert steps(walked)[:2] == [(0x600010, "fp"), (CODE + 0x40, "cfi")]


def test_arm_has_frame_pointers_on_ios_only() -> None:
    registers = {"pc": CODE, "lr": 0, "sp": STACK, "r7": STACK + 8, "fp": STACK + 8}
    stack = [0, 0, STACK + 24, 0x600010, 0, 0, 0, 0x600020]
    assert steps(Machine(Cpu.ARM, Os.IOS).walk(registers, stack))[:2] == [(0x600010, "fp"), (0x600020, "fp")]
    assert steps(Machine(Cpu.ARM, Os.ANDROID).walk(registers, stack))[0] == (0x600010, "scan")


@pytest.mark.parametrize("cpu", [Cpu.MIPS, Cpu.MIPS64])
def test_mips_has_none(cpu: Cpu) -> None:
    registers = {"pc": CODE, "sp": STACK, "fp": STACK, "ra": 0}
    assert steps(Machine(cpu).walk(registers, [STACK + 8, 0x600010, 0, 0])) == [(0x600010, "scan")]


@pytest.mark.parametrize(
    ("cpu", "pc", "sp"), [(Cpu.PPC, "srr0", "r1"), (Cpu.PPC64, "srr0", "r1"), (Cpu.SPARC, "pc", "o6")]
)
def test_other_processors_show_their_first_frame(cpu: Cpu, pc: str, sp: str) -> None:
    walked = Machine(cpu).walk({pc: CODE + 4, sp: STACK}, words(STACK, [0x600010] * 8))
    assert [(frame.address, frame.module) for frame in walked.frames] == [(CODE + 4, 0)]
    assert walked.ended == Ended.CPU


def test_a_chain_may_lead_through_code_of_no_module() -> None:
    """A compiler at run time keeps frame pointers, and its code lies in no file."""
    stack = [0, 0, STACK + 40, 0x7000_0000_1234, 0, STACK + 64, 0x600020, 0, 0, 0]
    assert steps(Machine().walk(X64, stack))[:2] == [(0x7000_0000_1234, "fp"), (0x600020, "fp")]


def test_above_a_guess_a_chain_must_lead_to_a_module() -> None:
    stack = [0x600010, STACK + 24, 0x7000_0000_1234, STACK + 48, 0x7000_0000_1234, 0x600020, 0, 0]
    registers = {"rip": CODE, "rsp": STACK, "rbp": STACK + 24}
    assert steps(Machine().walk(registers | {"rbp": 1}, stack))[0] == (0x600010, "scan")
    guessed = [0, 0x600010, *stack[2:]]
    assert (0x7000_0000_1234, "fp") not in steps(Machine().walk(registers | {"rbp": 1}, guessed))


def test_arm64_refuses_an_address_on_the_stack() -> None:
    walked = Machine(Cpu.ARM64).walk({"pc": CODE, "sp": STACK, "fp": STACK}, [STACK + 16, STACK + 8, 0, 0])
    assert "fp" not in [trust for _, trust in steps(walked)]
