"""STACK WIN records: frame data programs and FPO data."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os
from tests.engine.unwind.support import CODE, STACK, Machine

SEARCH = "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + ="
BASED = "$T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + ="


def program(text: str, *, saved: int = 0, locals_: int = 0) -> str:
    return f"STACK WIN 4 0 1000 0 0 0 {saved:x} {locals_:x} 0 1 {text}"


def machine(*records: str) -> Machine:
    return Machine(Cpu.X86, Os.WINDOWS, {0: "\n".join(records)})


def addresses(walked) -> list[int]:
    return [frame.address for frame in walked.frames]


def test_the_return_address_is_searched_above_locals_and_saved_registers() -> None:
    walked = machine(program(SEARCH, saved=4, locals_=8)).walk({"eip": CODE, "esp": STACK}, [0, 0, 0, 0x600010, 0])
    assert addresses(walked) == [CODE, 0x600010]
    assert walked.frames[1].trust == "cfi"


def test_a_program_can_follow_the_frame_pointer() -> None:
    stack = [0, 0, STACK + 32, CODE + 0x10, 0, 0, 0, 0, 0, 0x600010]
    walked = machine(program(BASED)).walk({"eip": CODE, "esp": STACK, "ebp": STACK + 8}, stack)
    assert addresses(walked) == [CODE, CODE + 0x10, 0x600010]


def test_a_program_that_aligns_searches_at_the_frame_pointer() -> None:
    text = "$T1 .raSearch = $T0 $T1 4 - 8 @ = $ebp $T1 4 - ^ = $eip $T1 ^ = $esp $T1 4 + ="
    stack = [7, 7, 7, 0, 0x600010]
    walked = machine(program(text, saved=4)).walk({"eip": CODE, "esp": STACK, "ebp": STACK + 12}, stack)
    assert addresses(walked) == [CODE, 0x600010]


def test_assignments_may_be_glued_to_what_follows() -> None:
    text = "$T0 $ebp 4 + =$eip $T0 4 + ^ =$ebp $T0 ^ = $esp $T0 8 + ="
    walked = machine(program(text)).walk({"eip": CODE, "esp": STACK, "ebp": STACK}, [0, 0, 0x600010])
    assert addresses(walked) == [CODE, 0x600010]


@pytest.mark.parametrize("name", ["$ebp", "$22"])
def test_a_saved_register_is_restored_under_its_name_or_number(name: str) -> None:
    restored = f"{SEARCH} {name} $T0 4 - ^ ="
    stack = [STACK + 16, CODE + 0x10, 0, 0, 0, 0x600010]
    walked = machine(program(restored, saved=4), "STACK WIN 4 9 4 0 0 0 0 0 0 1 " + BASED).walk(
        {"eip": CODE, "esp": STACK, "ebp": 1}, stack
    )
    assert addresses(walked)[:2] == [CODE, CODE + 0x10]
    based = machine(
        program(restored, saved=4).replace(" 0 1000 ", " 0 8 ", 1), "STACK WIN 4 8 100 0 0 0 0 0 0 1 " + BASED
    )
    walked = based.walk({"eip": CODE, "esp": STACK, "ebp": 1}, stack)
    assert addresses(walked) == [CODE, CODE + 0x10, 0x600010]


@pytest.mark.parametrize(
    "text", ["$eip 1 +", "$eip $T9 =", "$esp 4 =", "$eip 4 ^ = $esp 8 =", "= = =", "1 2 =", "$eip 1 0 / = $esp 4 =", ""]
)
def test_a_program_that_fails_leaves_the_frame_to_the_next_method(text: str) -> None:
    walked = machine(program(text)).walk({"eip": CODE, "esp": STACK}, [0, 0x600010])
    assert [frame.trust.value for frame in walked.frames] == ["context", "scan"]


def test_a_failed_program_leaves_the_frame_to_stack_cfi() -> None:
    cfi = "STACK CFI INIT 0 1000 .cfa: $esp 8 + .ra: .cfa -4 + ^"
    walked = machine(program("$eip ="), cfi).walk({"eip": CODE, "esp": STACK}, [CODE + 0x10, 0x600010])
    assert [(frame.address, frame.trust.value) for frame in walked.frames][1] == (0x600010, "cfi")


def test_frame_data_comes_before_fpo_and_that_before_stack_cfi() -> None:
    cfi = "STACK CFI INIT 0 1000 .cfa: $esp 4 + .ra: .cfa -4 + ^"
    fpo = "STACK WIN 0 0 1000 0 0 0 0 4 0 0 0"
    data = program(SEARCH, locals_=8)
    stack = [0x600010, 0x600020, 0x600030]
    for records, caller in (((cfi,), 0x600010), ((cfi, fpo), 0x600020), ((cfi, fpo, data), 0x600030)):
        assert machine(*records).walk({"eip": CODE, "esp": STACK}, stack).frames[1].address == caller


def test_fpo_finds_a_saved_frame_pointer() -> None:
    fpo = "STACK WIN 0 0 1000 0 0 0 8 4 0 0 1"
    stack = [STACK + 16, 0, 0, 0x600010, 0, 0x600020]
    walked = machine(fpo).walk({"eip": CODE, "esp": STACK, "ebp": 5}, stack)
    assert [(frame.address, frame.trust.value) for frame in walked.frames] == [
        (CODE, "context"),
        (0x600010, "cfi"),
        (0x600020, "fp"),
    ]


def test_fpo_skips_the_address_that_the_innermost_frame_is_at() -> None:
    fpo = "STACK WIN 0 0 1000 0 0 0 0 4 0 0 0"
    walked = machine(fpo).walk({"eip": CODE, "esp": STACK}, [0, CODE, 0x600010])
    assert addresses(walked) == [CODE, 0x600010]


def test_only_x86_has_these_records() -> None:
    walked = Machine(Cpu.X86_64, Os.WINDOWS, {0: program(SEARCH)}).walk({"rip": CODE, "rsp": STACK}, [0x600010])
    assert walked.frames[1].trust == "scan"
