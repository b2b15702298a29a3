"""Whatever registers, stacks and rules are: an answer, of bounded size, and never an exception."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.minidump import BadMinidump, Cpu, Os, open_minidump
from engine.unwind import ModuleMap, walk
from engine.unwind.cpus import CPUS
from engine.unwind.frame_data import run
from engine.unwind.postfix import compile_steps, evaluate
from engine.unwind.rules import compile_rule
from tests.engine.shared_fixtures import shared
from tests.engine.unwind.support import CODE, STACK, Book, Machine, drive, found, rules_of

# As many seconds as SYMBOLSVC_FUZZ_SECONDS says, else a sample.
FUZZ_SECONDS = float(os.environ.get("SYMBOLSVC_FUZZ_SECONDS", "2"))
EXAMPLES = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

WORDS = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.integers(STACK - 64, STACK + 1024),
    st.integers(CODE - 16, CODE + 0x200),
    st.sampled_from([0, 1, (1 << 64) - 1, (1 << 63), 1 << 47]),
)
VOCABULARY = (
    ".cfa .ra .undef $rsp $rbp rbx $eip $esp $ebp $T0 $T1 .raSearch .cbLocals = + - * / % @ ^ 0 1 -1 8 16 "
    "4096 18446744073709551615 99999999999999999999 .cfa: .ra: $rbp: $rsp: =$eip : $ x29 sp lr r7 fp 1879048192"
)
TOKENS = st.sampled_from(VOCABULARY.split())
EXPRESSIONS = st.lists(TOKENS, max_size=30).map(" ".join)
TEXTS = st.one_of(
    EXPRESSIONS,
    st.text(max_size=80),
    EXPRESSIONS.map(lambda text: f".cfa: $rsp 8 + .ra: .cfa -8 + ^ {text}"),
    EXPRESSIONS.map(lambda text: f".cfa: sp 8 + .ra: .cfa -4 + ^ {text}"),
)
MASK = (1 << 64) - 1


@EXAMPLES
@given(EXPRESSIONS | st.text(max_size=60))
def test_an_expression_has_a_word_or_nothing_as_its_value(text: str) -> None:
    value = evaluate(compile_steps(text.split(), str), {"$rsp": STACK, ".cfa": 5}, {STACK: 7}.get, MASK)
    assert value is None or 0 <= value <= MASK


@EXAMPLES
@given(EXPRESSIONS | st.text(max_size=60))
def test_a_program_assigns_words_or_fails(text: str) -> None:
    assigned = run(compile_steps(text.split(), str), {"$esp": STACK, "$ebp": 5}, {STACK: 7}.get)
    assert assigned is None or all(0 <= value <= 0xFFFFFFFF for value in assigned.values())


@EXAMPLES
@given(TEXTS, st.sampled_from(sorted(CPUS)))
def test_the_quick_form_of_a_rule_means_what_the_rule_means(text: str, cpu: str) -> None:
    rule = compile_rule(text, CPUS[cpu])
    if rule is not None and rule.plain is not None:
        plain, width = rule.plain, CPUS[cpu].width
        known, memory = {plain.base: STACK}, lambda address: address
        cfa = evaluate(rule.cfa, known, memory, MASK)
        assert cfa == (STACK + plain.offset) & MASK
        assert evaluate(rule.ra, {**known, ".cfa": cfa}, memory, MASK) == (cfa + plain.ra * width) & MASK
        assert plain.lowest <= plain.ra <= plain.highest


SAVES = st.lists(st.tuples(st.sampled_from(["rbx", "rbp", "r12", "rax"]), st.integers(-6, 2)), max_size=4)


@EXAMPLES
@given(st.integers(-3, 12), st.integers(-6, 2), SAVES, st.lists(WORDS, min_size=1, max_size=24), st.booleans())
def test_the_quick_path_and_the_general_one_find_the_same_frames(cfa, ra, saves, stack, aligned) -> None:
    """The same rule twice: once in the usual form, once in a form that only the general path takes."""
    saved = " ".join(f"${name}: .cfa {8 * place} + ^" for name, place in saves)
    start = STACK if aligned else STACK + 4
    registers = {"rip": CODE, "rsp": start, "rbp": STACK, "rbx": 3, "rax": 1}
    usual = f"STACK CFI INIT 0 10000 .cfa: $rsp {8 * cfa} + .ra: .cfa {8 * ra} + ^ {saved}"
    odd = f"STACK CFI INIT 0 10000 .cfa: $rsp {8 * cfa} + 0 + .ra: .cfa {8 * ra} + ^ 0 + {saved}"
    walks = [Machine(texts={0: text, 1: text}).walk(registers, stack) for text in (usual, odd)]
    assert found(walks[0]) == found(walks[1])


@EXAMPLES
@given(
    st.sampled_from(list(Cpu)),
    st.sampled_from(list(Os)),
    TEXTS,
    st.lists(WORDS, max_size=64),
    st.lists(WORDS, min_size=5, max_size=5),
)
def test_any_machine_gives_a_bounded_walk(cpu: Cpu, system: Os, text: str, stack: list[int], values: list[int]) -> None:
    records = [f"STACK CFI INIT 0 1000 {text}", f"STACK WIN 4 0 100 0 0 0 4 4 0 1 {text}", FPO]
    model = CPUS.get(cpu)
    pc, sp = (model.pc, model.sp) if model else OTHERS.get(cpu, ("pc", "sp"))
    names_ = [pc, sp, "ebp" if cpu is Cpu.X86 else "rbp" if cpu is Cpu.X86_64 else "fp", "lr", "r7"]
    registers = dict(zip(names_, values, strict=True))
    walked = Machine(cpu, system, {0: "\n".join(records), 1: records[0]}, lambda m, r: r % 2 == 0).walk(
        registers, stack
    )
    assert 1 <= len(walked.frames) <= 256
    assert walked.frames[0].address == values[0]
    assert all(0 <= frame.address < 1 << 64 for frame in walked.frames)


FPO = "STACK WIN 0 100 9 0 0 0 8 0 0 0 1"
OTHERS = {Cpu.PPC: ("srr0", "r1"), Cpu.PPC64: ("srr0", "r1"), Cpu.SPARC: ("pc", "o6")}
RULES = b"""STACK CFI INIT 0 ffffffff .cfa: $rsp 16 + .ra: .cfa -8 + ^ $rbp: .cfa -16 + ^
STACK WIN 4 0 ffffff 0 0 0 0 8 0 1 $T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + ="""
DUMPS = [
    "fixtures/peers/rust-minidump/test.dmp",
    "fixtures/peers/symbolic/minidump/crash_linux.dmp",
    "fixtures/peers/symbolic/minidump/crash_macos.dmp",
    "fixtures/peers/rust-minidump/simple-crashpad.dmp",
]


@pytest.mark.parametrize("path", DUMPS)
def test_flipped_bytes_of_registers_and_stacks_give_a_bounded_walk(path: str) -> None:
    """Some bytes anywhere in the dump are replaced; with rules for its first module that a flip may break as well."""
    whole, chance = shared(path).read_bytes(), random.Random(path)
    ends, tried = time.monotonic() + FUZZ_SECONDS / len(DUMPS), 0
    while time.monotonic() < ends or tried < 20:
        tried += 1
        walk_flipped(flipped(whole, chance), flipped(RULES, chance))


def flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randrange(0, 40)):
        changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(changed)


def walk_flipped(data: bytes, text: bytes) -> None:
    try:
        dump = open_minidump(data)
    except BadMinidump:
        return
    modules, book = ModuleMap(dump.modules), Book({0: rules_of(text)})
    for thread in dump.threads[:8]:
        start = dump.start(thread)
        if start.registers is not None:
            walked = drive(walk(start.registers, start.stack, dump.memory, modules, book, dump.system.os), book)
            assert 1 <= len(walked.frames) <= 256
