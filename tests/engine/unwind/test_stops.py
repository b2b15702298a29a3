"""When a walk ends, whatever the registers, the stack and the rules are."""

from __future__ import annotations

import pytest

from engine.minidump import Cpu, Os, Region, Registers
from engine.unwind import Ended, ModuleMap, walk
from tests.engine.unwind.support import CODE, MODULES, STACK, Book, Machine, Regions, drive, rules_of, words

X64 = {"rip": CODE, "rsp": STACK}
RECURSION = {0: "STACK CFI INIT 0 1000 .cfa: $rsp 8 + .ra: .cfa -8 + ^"}


def test_a_walk_has_256_frames_at_most() -> None:
    walked = Machine(texts=RECURSION).walk(X64, [CODE + 0x10] * 400)
    assert (len(walked.frames), walked.ended) == (256, Ended.LIMIT)


def test_a_walk_has_as_many_frames_as_were_asked_for() -> None:
    walked = Machine(texts=RECURSION).walk(X64, [CODE + 0x10] * 400, limit=7)
    assert (len(walked.frames), walked.ended) == (7, Ended.LIMIT)


@pytest.mark.parametrize(("pc", "ended"), [(0xFFF, Ended.LOW_PC), (0, Ended.LOW_PC), (0x1000, Ended.NO_CALLER)])
def test_no_code_lies_in_the_first_page(pc: int, ended: Ended) -> None:
    assert Machine(texts=RECURSION).walk(X64, [pc]).ended == ended


@pytest.mark.parametrize("rule", ["$rsp 0 +", "$rsp 8 -", "$rbx 0 +", "0"])
def test_each_call_takes_stack(rule: str) -> None:
    texts = {0: f"STACK CFI INIT 0 1000 .cfa: {rule} .ra: {CODE + 8}"}
    walked = Machine(texts=texts).walk({**X64, "rsp": STACK + 8, "rbx": STACK}, [CODE + 8] * 8)
    assert (len(walked.frames), walked.ended) == (1, Ended.NO_PROGRESS)


LEAF = {0: "STACK CFI INIT 0 1000 .cfa: sp 0 + .ra: lr", 1: "STACK CFI INIT 0 1000 .cfa: sp 0 + .ra: lr lr: 4194368"}


def test_a_leaf_of_arm_may_leave_the_stack_alone_when_it_is_innermost() -> None:
    registers = {"pc": CODE, "sp": STACK, "lr": 0x600010, "fp": 0}
    texts = {**LEAF, 1: "STACK CFI INIT 0 1000 .cfa: sp 0 + .ra: 4194368"}
    walked = Machine(Cpu.ARM, Os.ANDROID, texts).walk(registers, [0] * 4)
    assert [frame.address for frame in walked.frames] == [CODE, 0x600010]
    assert walked.ended == Ended.NO_PROGRESS


def test_frames_of_arm64_rules_may_leave_the_stack_alone_as_long_as_they_move() -> None:
    registers = {"pc": CODE, "sp": STACK, "lr": 0x600010, "fp": 0}
    texts = {**LEAF, 1: f"STACK CFI INIT 0 1000 .cfa: sp 0 + .ra: {0x600040}"}
    walked = Machine(Cpu.ARM64, Os.LINUX, texts).walk(registers, [0] * 4)
    assert [frame.address for frame in walked.frames] == [CODE, 0x600010, 0x600040]
    assert walked.ended == Ended.NO_PROGRESS


def test_a_chain_of_frames_that_turns_back_ends() -> None:
    walked = Machine(Cpu.X86, Os.WINDOWS).walk(
        {"eip": CODE, "esp": STACK, "ebp": STACK + 8}, [STACK + 8, 0x600020, STACK, 0x600010]
    )
    assert (len(walked.frames), walked.ended) == (2, Ended.NO_PROGRESS)


@pytest.mark.parametrize("sp", [0, 8, (1 << 64) - 1, (1 << 64) - 8])
def test_a_stack_pointer_beyond_everything_leaves_the_first_frame(sp: int) -> None:
    walked = Machine(texts=RECURSION).walk({"rip": CODE, "rsp": sp, "rbp": sp}, [CODE + 8] * 8)
    assert (len(walked.frames), walked.ended) == (1, Ended.NO_STACK)


def test_a_leaf_needs_no_memory() -> None:
    registers = {"pc": CODE, "sp": 0x99_0000, "lr": 0x600010, "fp": 0}
    walked = Machine(Cpu.ARM64, texts={0: LEAF[0]}).walk(registers, [0])
    assert [frame.address for frame in walked.frames] == [CODE, 0x600010]


def walked_in(registers: dict[str, int], stack: Region | None, *memory: Region):
    book = Book({0: rules_of(RECURSION[0])})
    start = Registers(Cpu.X86_64, registers)
    return drive(walk(start, stack, Regions(memory), ModuleMap(MODULES), book, Os.LINUX), book)


def test_another_region_is_taken_when_the_threads_does_not_hold_the_stack_pointer() -> None:
    wrong, right = words(0x1_0000, [0x600040] * 4), words(STACK, [0x600010, 0])
    assert [frame.address for frame in walked_in(X64, wrong, wrong, right).frames] == [CODE, 0x600010]
    assert [frame.address for frame in walked_in(X64, None, right).frames] == [CODE, 0x600010]


def test_a_walk_leaves_the_stack_of_a_signal_handler() -> None:
    handler = words(STACK, [STACK + 0x1000, 0x600010])
    rules = "STACK CFI INIT 0 1000 .cfa: $rsp ^ .ra: $rsp 8 + ^"
    book = Book({0: rules_of(rules)})
    main = words(STACK + 0x1000, [0, CODE + 0x40, 0])
    start = Registers(Cpu.X86_64, X64)
    walking = walk(start, handler, Regions((handler, main)), ModuleMap(MODULES), book, Os.LINUX)
    assert [frame.address for frame in drive(walking, book).frames] == [CODE, 0x600010, CODE + 0x40]


def test_the_registers_of_the_answer_are_those_of_the_first_frame() -> None:
    registers = {**X64, "rax": 7}
    assert Machine(texts=RECURSION).walk(registers, [CODE + 8] * 4).registers == registers
