"""Scanning: which words count as return addresses, and how far is looked."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os
from tests.engine.unwind.support import CODE, STACK, Machine

X64 = {"rip": CODE, "rsp": STACK}
COVERED = "STACK CFI INIT 100 10 .cfa: $rsp 4096 + .ra: .cfa -8 + ^"


def steps(walked) -> list[tuple[int, str]]:
    return [(frame.address, frame.trust.value) for frame in walked.frames][1:]


def test_the_first_word_that_points_into_a_module_is_taken() -> None:
    assert steps(Machine().walk(X64, [0, 5, STACK, CODE - 1, 0x600010])) == [(0x600010, "scan")]


@pytest.mark.parametrize(("value", "taken"), [(CODE, False), (CODE + 1, True), (CODE + 0x10000, True)])
def test_it_is_the_call_before_the_address_that_must_lie_in_the_module(value: int, taken: bool) -> None:
    assert steps(Machine().walk(X64, [value])) == ([(value, "scan")] if taken else [])


@pytest.mark.parametrize(("above", "found"), [(159, True), (160, False)])
def test_a_sure_frame_is_searched_for_160_words(above: int, found: bool) -> None:
    assert bool(steps(Machine().walk(X64, [0] * above + [0x600010]))) is found


@pytest.mark.parametrize(("above", "found"), [(39, 2), (40, 1)])
def test_a_guessed_frame_is_searched_for_40_words(above: int, found: int) -> None:
    assert len(steps(Machine().walk(X64, [0x600010] + [0] * above + [0x600020]))) == found


@pytest.mark.parametrize(("above", "found"), [(159, 2), (160, 1)])
def test_a_frame_of_unwind_rules_is_searched_for_160_words(above: int, found: int) -> None:
    texts = {0: "STACK CFI INIT 0 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^"}
    assert len(steps(Machine(texts=texts).walk(X64, [0x600010] + [0] * above + [0x600020]))) == found


def test_a_module_with_rules_must_have_one_for_the_place() -> None:
    machine = Machine(texts={1: COVERED}, symbols=lambda module, relative: False)
    assert steps(machine.walk(X64, [0x600010, 0x600120, 0x600110])) == [(0x600110, "scan")]


def test_a_symbol_makes_up_for_a_missing_rule() -> None:
    machine = Machine(texts={1: COVERED}, symbols=lambda module, relative: relative == 0x2F)
    assert steps(machine.walk(X64, [0x600020, 0x600030]))[0] == (0x600030, "scan")


def test_an_empty_table_of_rules_refuses_nothing() -> None:
    machine = Machine(
        Cpu.X86, Os.WINDOWS, {1: "STACK WIN 4 0 10 0 0 0 0 0 0 1 $eip 1 ="}, lambda module, relative: False
    )
    assert steps(machine.walk({"eip": CODE, "esp": STACK}, [0x600020])) == [(0x600020, "scan")]


def test_symbols_are_asked_for_only_when_rules_refuse() -> None:
    def never(module: int, relative: int) -> bool:
        raise AssertionError("symbols were consulted")

    assert steps(Machine(texts={1: COVERED}, symbols=never).walk(X64, [0x600110])) == [(0x600110, "scan")]


def test_the_frame_pointer_is_the_word_below_the_return_address() -> None:
    stack = [STACK + 32, 0x600010, 0, 0, STACK + 56, 0x600020, 0, 0, 0, 0]
    assert steps(Machine().walk(X64, stack))[:2] == [(0x600010, "scan"), (0x600020, "fp")]


def test_the_word_below_must_be_near() -> None:
    far = 128 * 1024 // 8
    stack = [STACK + 8 * far, 0x600010, *[0] * (far - 2), STACK + 8 * far + 24, 0x600020, 0, 0]
    assert steps(Machine().walk(X64, stack))[1] == (0x600020, "fp")
    stack = [STACK + 8 * far + 8, 0x600010, *[0] * (far - 1), STACK + 8 * far + 32, 0x600020, 0, 0]
    assert len(steps(Machine().walk(X64, stack))) == 1


def test_otherwise_the_frame_pointer_is_still_the_callees() -> None:
    registers = {**X64, "rbp": STACK + 32}
    # The first frame cannot be left by its frame pointer: the caller's would point below it.
    stack = [0, 0x600010, 0, 0, 0, 0, 0x600020]
    assert steps(Machine().walk(registers, stack)) == [(0x600010, "scan"), (0x600020, "scan")]
    x86 = Machine(Cpu.X86).walk({"eip": CODE, "esp": STACK, "ebp": STACK + 0x1000}, [0, 0x600010])
    assert steps(x86) == [(0x600010, "scan")]


def test_signed_return_addresses_are_found() -> None:
    registers = {"pc": CODE, "lr": 0, "sp": STACK, "fp": 0}
    walked = Machine(Cpu.ARM64, Os.IOS).walk(registers, [0, 0x0123_8000_0060_0010])
    assert steps(walked) == [(0x600010, "scan")]


def test_a_guessed_frame_whose_rule_leads_nowhere_is_passed_over() -> None:
    """A stale address on the stack: by its rule the caller would be at null, so the search goes on."""
    texts = {1: "STACK CFI INIT 0 1000 .cfa: $rsp 16 + .ra: .cfa -8 + ^"}
    assert steps(Machine(texts=texts).walk(X64, [0x600010, 0, 0, CODE + 0x20])) == [
        (0x600010, "scan"),
        (CODE + 0x20, "scan"),
    ]


def test_nothing_is_found_where_there_are_no_modules() -> None:
    assert steps(Machine(modules=()).walk(X64, [0x600010] * 10)) == []
