"""Unwind rules: Breakpad's text and its programs, and the tables of ELF files that such text is made of."""

from __future__ import annotations

from itertools import chain

from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex
from engine.formats.eh_frame import EhFrameIndex, has_unwind_tables, signal_text, unwind_text
from engine.formats.elf import Elf
from engine.formats.exidx import exidx_text, has_exidx
from engine.unwind.cpus import CPUS
from engine.unwind.frame_data import run
from engine.unwind.postfix import compile_steps, evaluate
from engine.unwind.rules import compile_rule
from fuzz.seeds import corpus, files, shared
from fuzz.target import Shape, Target
from tests.engine.formats.elf_builder import ARM, SHT_ARM_EXIDX, TEXT, Frames, Section, elf
from tests.engine.formats.elf_builder import TARGETS as MACHINES
from tests.engine.formats.test_eh_frame_in_place import made
from tests.engine.unwind.support import Machine, rules_of

_MASK = (1 << 64) - 1
_STACK = 0x7000_0000
_PLACES = (0, 1, 0x10, 0x1000, 0x1008, 0xFFFF, 0xFFFFFFFF, _MASK)
_WORDS = (
    b".cfa: .ra: .undef $rsp $rbp rbx $eip $esp $ebp $T0 .raSearch .raSearchStart .cbLocals .cbParams = + - * / % @ ^ "
    b"0 1 -1 8 16 4096 ffffffffffffffff 99999999999999999999 $rbp: $rsp: : $ x29 sp lr r7 STACK CFI INIT WIN 4"
).split(b" ")
_TEXT = b"""MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 a.so
STACK CFI INIT 10 20 .cfa: $rsp 8 + .ra: .cfa -8 + ^
STACK CFI 14 .cfa: $rsp 16 + $rbp: .cfa -16 + ^
STACK CFI INIT 1000 10 .cfa: sp 8 + .ra: .undef
STACK WIN 4 1000 20 1 0 0 0 4 4 0 1 $T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =
STACK WIN 0 2000 20 0 0 8 0 4 0 0 0
"""
_PROGRAMS = (b"$rsp 8 + ^ 16 @ -1 *", b"$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = $ebp $ebp ^ =", b".cfa -8 + ^")


def _text(data: bytes) -> None:
    """Whatever a text states, each address has rules that can be compiled for each processor, or none."""
    rules = rules_of(data)
    for cpu in CPUS.values():
        compiled = rules.compiled(cpu)
        for place in _PLACES:
            compiled.find(place)
    walked = Machine(texts={0: data.decode("latin-1")}).walk(
        {"rip": 0x40_0010, "rsp": _STACK, "rbp": _STACK}, range(64)
    )
    assert 1 <= len(walked.frames) <= 256


def _program(data: bytes) -> None:
    """An expression is a word or nothing; a program assigns words or fails; a rule's quick form means the same."""
    tokens = data.decode("latin-1").split()
    value = evaluate(compile_steps(tokens, str), {"$rsp": _STACK, ".cfa": 5}, {_STACK: 7}.get, _MASK)
    assert value is None or 0 <= value <= _MASK
    assigned = run(compile_steps(tokens, str), {"$esp": _STACK, "$ebp": 5}, {_STACK: 7}.get)
    assert assigned is None or all(0 <= word <= 0xFFFFFFFF for word in assigned.values())
    for cpu in CPUS.values():
        compile_rule(".cfa: " + " ".join(tokens), cpu)


def _index(data: bytes) -> None:
    """The index itself comes from a cache that is sealed; damaged all the same it must not mislead by its bounds."""
    index = CfiIndex.open(data)
    for place in _PLACES:
        index.cfi(place)
        index.win(place)
        index.covers(place)
    str(index.module)


def _indexes() -> list[bytes]:
    from io import BytesIO

    from engine.formats.cfi import build_index

    made = []
    for text in (_TEXT, b"", *corpus("cfi index")):
        target = BytesIO()
        build_index(text, target)
        made.append(target.getvalue())
    return made


def _frames(data: bytes) -> None:
    """What is made of tables is text that the reader of text takes, without a line that it skips."""
    has_unwind_tables(data)
    signals = signal_text(data)
    rules_of(signals)
    text = unwind_text(data)
    assert text.endswith(b"\n")
    rules_of(text)


def _tables() -> list[bytes]:
    made = []
    for machine in MACHINES.values():
        frames = Frames(machine)
        cie = frames.cie(b"\x0c\x07\x08" + b"\x90\x01")
        frames.fde(cie, TEXT, 16, b"\x41\x0e\x10\x86\x02\x41\x0d\x06\x0a\x42\x0b")
        frames.fde(cie, TEXT + 16, 16, b"\x0f\x03\x77\x08\x06\x10\x03\x02\x77\x00")
        signal = frames.cie(b"\x0c\x07\x08", augmentation=b"zRS")
        frames.fde(signal, TEXT + 64, 8)
        made.append(frames.file())
    return [*made, *files("ledger/*.so", "arm/*/stripped.xz"), *corpus("eh_frame")]


def _in_place(data: bytes) -> None:
    """Tables that are read where they lie: damaged ones give wrong rules or none, and raise nothing."""
    index = EhFrameIndex(data)
    for relative in (*_PLACES, *range(TEXT, TEXT + 0x100, 7)):
        found = index.cfi(relative)
        assert index.covers(relative) == (found is not None)
        if found is not None:
            compile_rule(found[1], CPUS["x86_64"])


def _headed() -> list[bytes]:
    programs = [b"", b"\x41\x0e\x10\x86\x02\x41\x0d\x06", b"\x0a\x42\x0b\x0f\x03\x77\x08\x06", b"\x10\x03\x02\x77\x00"]
    return [*(made(cpu, programs) for cpu in ("x86_64", "x86", "arm64")), *files("ledger/*.so"), *corpus("in place")]


def _exidx() -> list[bytes]:
    def prel(place: int, target: int) -> int:
        return (target - place) & 0x7FFFFFFF

    index, table = 0x8000, 0x9000
    words = [prel(index, TEXT), 0x80A8B0B0, prel(index + 8, TEXT + 8), 1,
             prel(index + 16, TEXT + 16), prel(index + 20, table), prel(index + 24, TEXT + 32), 0x808400B0]  # fmt: skip
    entries = b"".join(map(ARM.u32, words))
    extab = b"".join(map(ARM.u32, (0x8103B0B1, 0x0F840000, 0xB0B0B0B0)))
    sections = [
        Section(".text", bytes(0x100), TEXT),
        Section(".ARM.exidx", entries, index, SHT_ARM_EXIDX),
        Section(".ARM.extab", extab, table),
    ]
    return [elf(ARM, sections), *files("arm/armhf-thumb-nofp/stripped.xz"), *corpus("exidx")]


def _arm(data: bytes) -> None:
    has_exidx(data)
    rules_of(exidx_text(data))


def _sections(data: bytes) -> None:
    file = Elf(data)
    for section in file.sections[:64]:
        file.find(section.name)
    contents = (file.content(section) for section in file.sections[:4])
    assert sum(map(len, chain(contents))) <= 4 << 30


TARGETS = (
    Target("unwind text", lambda: [_TEXT, *shared("captures/crash/symbols_npm026/*/*/*.sym", most=40 << 10)],
           _text, shape=Shape.LINES, words=_WORDS, runs=150),
    Target("unwind programs", lambda: [*_PROGRAMS, *corpus("unwind programs")], _program, shape=Shape.LINES,
           words=_WORDS, runs=1500),
    Target("cfi index", _indexes, _index, (FormatError,), runs=500),
    Target("eh_frame", _tables, _frames, (FormatError,), runs=300),
    Target("eh_frame in place", _headed, _in_place, (FormatError,), runs=500),
    Target("exidx", _exidx, _arm, (FormatError,), runs=300),
    Target("elf", lambda: [*_tables()[:7], *_exidx()[:1]], _sections, (FormatError,), runs=600),
)  # fmt: skip
