"""STACK CFI rules: what a text means, and what it makes of a frame's registers."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu
from engine.unwind import Ended
from engine.unwind.cpus import CPUS
from engine.unwind.postfix import compile_steps, evaluate
from engine.unwind.rules import Plain, compile_rule
from tests.engine.unwind.support import CODE, STACK, Machine

WORD = (1 << 64) - 1


def value(text: str, names: dict[str, int] | None = None) -> int | None:
    program = compile_steps(text.split(), str)
    return evaluate(program, names or {}, {0x1000: 77}.get, WORD)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("-8", WORD - 7),
        ("2 3 +", 5),
        ("2 3 -", WORD),
        (f"{WORD} 2 *", WORD - 1),
        ("7 2 /", 3),
        ("7 2 %", 1),
        ("23 8 @", 16),
        ("4096 ^", 77),
        ("4000 96 + ^ 1 +", 78),
        ("rsp 8 +", 108),
    ],
)
def test_an_expression_has_the_value_that_its_operators_give(text: str, expected: int) -> None:
    assert value(text, {"rsp": 100}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "1 +",
        "1 2",
        "1 0 /",
        "1 0 %",
        "9 3 @",
        "9 0 @",
        "8192 ^",
        "^",
        "rax",
        "1 2 =",
        ".undef",
        "9" * 30,
        "0x10",
    ],
)
def test_an_expression_that_cannot_be_evaluated_has_no_value(text: str) -> None:
    assert value(text, {"rsp": 100}) is None


def test_the_usual_rule_is_compiled_to_distances_in_words() -> None:
    rule = compile_rule(".cfa: $rsp 8 + .ra: .cfa -8 + ^ .cfa: $rsp 24 + $rbx: .cfa 16 - ^", CPUS["x86_64"])
    assert rule is not None
    assert rule.plain == Plain("rsp", 24, -1, -2, -1, (("rbx", -2),), False)


@pytest.mark.parametrize(
    "text", ["", "nonsense", ".ra: .cfa -8 + ^", ".cfa: .ra: .cfa -8 + ^", ".cfa: .cfa 8 + .ra: .cfa -8 + ^"]
)
def test_a_rule_without_a_usable_cfa_is_none(text: str) -> None:
    assert compile_rule(text, CPUS["x86_64"]) is None


@pytest.mark.parametrize(
    "text",
    [".ra: .cfa -8 + ^ .cfa: $rsp" + " 1 +" * 200, ".cfa: $rsp 8 + " + " ".join(f"$r{at}: 1" for at in range(300))],
)
def test_a_rule_that_no_producer_would_write_is_not_followed(text: str) -> None:
    assert compile_rule(text, CPUS["x86_64"]) is None


def test_registers_are_restored_and_the_others_that_calls_keep_are_passed_on() -> None:
    machine = Machine(texts={0: "STACK CFI INIT 0 1000 .cfa: $rsp 24 + .ra: .cfa -8 + ^ $rbx: .cfa -16 + ^"})
    second = "STACK CFI INIT 0 1000 .cfa: $rbx $r12 + .ra: .cfa -8 + ^"
    machine.texts = {0: machine.texts[0], 1: second}
    stack = [0, STACK + 16, 0x600010, 0, 0, CODE + 0x20]
    walked = machine.walk({"rip": CODE + 0x10, "rsp": STACK, "rbx": 1, "r12": 32, "rax": 9}, stack)
    assert [frame.address for frame in walked.frames] == [CODE + 0x10, 0x600010, CODE + 0x20]
    assert [frame.module for frame in walked.frames] == [0, 1, 0]


def test_registers_that_calls_do_not_keep_are_unknown_in_the_caller() -> None:
    texts = {
        0: "STACK CFI INIT 0 1000 .cfa: $rsp 8 + .ra: .cfa -8 + ^",
        1: "STACK CFI INIT 0 1000 .cfa: $rax .ra: .cfa ^",
    }
    stack = [0x600010, 0, 0x600020]
    walked = Machine(texts=texts).walk({"rip": CODE + 0x10, "rsp": STACK, "rax": STACK + 16}, stack)
    assert [frame.trust.value for frame in walked.frames] == ["context", "cfi", "scan"]


@pytest.mark.parametrize("lost", ["$rbp: .undef", "$rbp: $rax ^", "$rbp: 1 +"])
def test_a_register_that_a_rule_loses_is_unknown_in_the_caller(lost: str) -> None:
    texts = {
        0: f"STACK CFI INIT 0 1000 .cfa: $rsp 8 + .ra: .cfa -8 + ^ {lost}",
        1: "STACK CFI INIT 0 1000 .cfa: $rbp 16 + .ra: .cfa -8 + ^",
    }
    stack = [0x600010, 0, 0, 0, 0x600044, 0, CODE + 0x20]
    kept = Machine(texts={**texts, 0: texts[0].replace(lost, "")})
    registers = {"rip": CODE + 0x10, "rsp": STACK, "rbp": STACK + 24}
    assert kept.walk(registers, stack).frames[2].trust == "cfi"
    assert [frame.trust.value for frame in Machine(texts=texts).walk(registers, stack).frames][2:] == ["scan", "scan"]


def test_a_rule_may_state_the_stack_pointer_and_say_where_to_go_on_by_a_register() -> None:
    texts = {0: "STACK CFI INIT 0 1000 .cfa: $rdi 0 + .ra: $rdx $rsp: $r8 $rbp: $r9"}
    registers = {"rip": CODE + 1, "rsp": STACK, "rdi": STACK, "rdx": 0x600010, "r8": STACK + 16, "r9": 0}
    walked = Machine(texts=texts).walk(registers, [0, CODE + 0x30, 0x600020, 0])
    assert [frame.address for frame in walked.frames] == [CODE + 1, 0x600010, 0x600020]


def test_rows_hold_from_their_address_on() -> None:
    text = "STACK CFI INIT 0 100 .cfa: $rsp 8 + .ra: .cfa -8 + ^\nSTACK CFI 10 .cfa: $rsp 16 +"
    for pc, caller in ((0xF, 0x600010), (0x10, 0x600020)):
        walked = Machine(texts={0: text}).walk({"rip": CODE + pc, "rsp": STACK}, [0x600010, 0x600020])
        assert walked.frames[1].address == caller


@pytest.mark.parametrize("ra", ["", ".ra: .undef"])
def test_a_function_that_nobody_called_is_the_bottom_of_the_stack(ra: str) -> None:
    texts = {0: f"STACK CFI INIT 0 1000 .cfa: $rsp 8 + {ra}"}
    walked = Machine(texts=texts).walk({"rip": CODE + 0x10, "rsp": STACK}, [CODE + 0x20] * 8)
    assert (len(walked.frames), walked.ended) == (1, Ended.BOTTOM)


def test_unaligned_saves_and_stacks_are_read_too() -> None:
    texts = {0: "STACK CFI INIT 0 1000 .cfa: $rsp 12 + .ra: .cfa -8 + ^"}
    walked = Machine(texts=texts).walk({"rip": CODE + 0x10, "rsp": STACK}, [0x0060_0010 << 32, 0, 0, 0])
    assert walked.frames[1].address == 0x600010


def test_the_return_address_belongs_to_the_call_before_it() -> None:
    """A call at the end of a function that does not return: the return address is already in the next function."""
    text = "STACK CFI INIT 0 20 .cfa: $rsp 8 + .ra: .cfa -8 + ^\nSTACK CFI INIT 20 20 .cfa: $rsp 32 + .ra: .cfa -8 + ^"
    walked = Machine(texts={0: text}).walk({"rip": CODE + 0x20, "rsp": STACK}, [0, 0, 0, CODE + 0x20, CODE + 8])
    assert [frame.address for frame in walked.frames] == [CODE + 0x20, CODE + 0x20, CODE + 8]


def test_registers_are_known_by_all_the_names_that_producers_write() -> None:
    for name in ("$sp", "sp", ".sp", "x31"):
        rule = compile_rule(f".cfa: {name} 16 + .ra: .x30", CPUS[Cpu.ARM64])
        assert rule is not None
        assert (rule.cfa[0], rule.ra) == ("sp", ("lr",))
