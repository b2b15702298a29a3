"""ARM's own unwind tables: every instruction, every form of entry, and what is wrong with them."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.formats.bytewise import FormatError
from engine.formats.exidx import Span, exidx_text, has_exidx
from engine.formats.exidx.gaps import Gaps
from engine.formats.exidx.instructions import rules
from tests.engine.formats.elf_builder import ARM, SHT_ARM_EXIDX, TEXT, X86_64, Section, elf
from tests.engine.run.reports import unpacked
from tests.engine.run.serving import FIXTURES

INDEX, TABLE = 0x8000, 0x9000
STRIPPED = FIXTURES / "arm/armhf-thumb-nofp/stripped.xz"


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ("b0", ".cfa: sp 0 + .ra: lr"),
        ("", ".cfa: sp 0 + .ra: lr"),
        ("00 3f 8400", ".cfa: sp 264 + .ra: .cfa -4 + ^"),
        ("42 01 8400", ".cfa: sp 0 + .ra: .cfa -4 + ^"),
        ("8408", ".cfa: sp 8 + .ra: .cfa -4 + ^ r7: .cfa -8 + ^"),
        ("8801", ".cfa: sp 8 + .ra: .cfa -4 + ^ r4: .cfa -8 + ^"),
        ("a1", ".cfa: sp 8 + .ra: lr r4: .cfa -8 + ^ r5: .cfa -4 + ^"),
        ("a9", ".cfa: sp 12 + .ra: .cfa -4 + ^ r4: .cfa -12 + ^ r5: .cfa -8 + ^"),
        ("97 41 8408", ".cfa: r7 0 + .ra: .cfa -4 + ^ r7: .cfa -8 + ^"),
        ("9b 40 8480", ".cfa: r11 4 + .ra: .cfa -4 + ^ r11: .cfa -8 + ^"),
        ("a0 97", ".cfa: r7 0 + .ra: lr r4: sp 0 + ^"),
        ("b108 8400", ".cfa: sp 8 + .ra: .cfa -4 + ^ r3: .cfa -8 + ^"),
        ("b28101", ".cfa: sp 1032 + .ra: lr"),
        ("b383", ".cfa: sp 36 + .ra: lr"),
        ("b4 b5 8400", ".cfa: sp 8 + .ra: .cfa -4 + ^"),
        ("b9", ".cfa: sp 20 + .ra: lr"),
        ("c1 c680 c703", ".cfa: sp 32 + .ra: lr"),
        ("c810 c903 d1", ".cfa: sp 56 + .ra: lr"),
        ("b0 ff", ".cfa: sp 0 + .ra: lr"),
    ],
)
def test_instructions_become_rules(instructions, expected):
    assert rules(bytes.fromhex(instructions)).replace("  ", " ") == expected


def test_what_gives_back_the_stack_pointer_is_the_way_back_from_a_signal_handler():
    found = rules(bytes.fromhex("27 b10f 8fff b0"))

    assert found.startswith(".cfa: sp 212 + ^ .ra: sp 220 + ^ r0: sp 160 + ^")
    assert found.endswith("r12: sp 208 + ^ lr: sp 216 + ^ .signal: 1")


@pytest.mark.parametrize(
    "instructions",
    ["8000", "80", "9d", "9f", "a0 94", "b1", "b100", "b110", "b2", "b2ffffffffff", "b6", "ca", "e0", "ff", "8200 00"],
)
def test_instructions_that_nobody_can_follow_are_refused(instructions):
    with pytest.raises(FormatError):
        rules(bytes.fromhex(instructions))


@given(st.binary(max_size=64))
@settings(max_examples=100, deadline=None)
def test_any_instructions_give_rules_or_a_format_error(instructions):
    try:
        found = rules(instructions)
    except FormatError:
        return
    assert found.startswith(".cfa: ")


def prel31(place, target):
    return (target - place) & 0x7FFFFFFF


def program(*entries, table=b"", load=0, order="<", dynamic=()):
    """A file with an index of (address, second word or a function of its place)."""
    content = b""
    for at, (start, word) in enumerate(entries):
        place = INDEX + 8 * at
        content += struct.pack(order + "II", prel31(place, start), word(place + 4) if callable(word) else word)
    sections = [
        Section(".text", bytes(0x100), TEXT, flags=6),
        Section(".ARM.exidx", content, INDEX, type=SHT_ARM_EXIDX),
        Section(".ARM.extab", table, TABLE),
        *dynamic,
    ]
    return elf(ARM, sections, load=load)


def text(*entries, known=(), **options):
    return exidx_text(program(*entries, **options), known).decode().splitlines()


def there(offset):
    return lambda place: prel31(place, TABLE + offset)


PUSH = 0x80A8B0B0


def test_a_function_reaches_to_the_next_and_the_last_to_the_end_of_the_code():
    assert text((TEXT, PUSH), (TEXT + 0x20, 0x80B0B0B0), load=0x400) == [
        "STACK CFI INIT c00 20 .cfa: sp 8 + .ra: .cfa -4 + ^ r4: .cfa -8 + ^",
        "STACK CFI INIT c20 e0 .cfa: sp 0 + .ra: lr",
    ]


def test_entries_may_lie_in_the_table_in_all_three_forms():
    table = struct.pack("<III", 0x8101A803, 0xB0B0B0B0, 0)
    table += struct.pack("<III", 0x7FFFF000, 0x01A803A9, 0xB0B0B0B0)
    table += struct.pack("<I", 0x80A803B0)
    lines = text((TEXT, there(0)), (TEXT + 0x20, there(12)), (TEXT + 0x40, there(24)), table=table)

    assert [line.split(" ", 5)[3:] for line in lines] == [
        ["1000", "20", ".cfa: sp 24 + .ra: .cfa -20 + ^ r4: .cfa -24 + ^"],
        ["1020", "20", ".cfa: sp 36 + .ra: .cfa -4 + ^ r4: .cfa -12 + ^ r5: .cfa -8 + ^"],
        ["1040", "c0", ".cfa: sp 24 + .ra: .cfa -20 + ^ r4: .cfa -24 + ^"],
    ]


@pytest.mark.parametrize(
    "word", [1, 0x83A8B0B0, 0xFFFFFFFF, there(0x100), there(4), lambda place: prel31(place, 0x100000)]
)
def test_one_entry_that_cannot_be_read_costs_itself(word):
    table = struct.pack("<II", 0, 0x81FFB0B0)
    assert len(text((TEXT, word), (TEXT + 0x20, PUSH), table=table)) == 1


def test_nothing_is_said_of_what_is_known():
    known = [Span(TEXT + 8, TEXT + 0x10), Span(TEXT + 0xC, TEXT + 0x14), Span(0, 4)]

    lines = text((TEXT, PUSH), (TEXT + 0x20, 1), known=known)

    assert [line.split(" ")[3:5] for line in lines] == [["1000", "8"], ["1014", "c"]]


def dynamic(name, value, size):
    strings = b"\0" + name + b"\0"
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, value, size, 0x12, 0, 1)
    symbols += struct.pack("<IIIBBH", 0, value + size + 0x10, 4, 0x12, 0, 1)
    return [Section(".dynstr", strings, 0x200, type=3), Section(".dynsym", symbols, 0x300, type=11)]


@pytest.mark.parametrize("name", [b"clone", b"__clone"])
def test_threads_begin_where_nobody_called(name):
    lines = text((TEXT, PUSH), (TEXT + 0x20, 1), (TEXT + 0x80, PUSH), dynamic=dynamic(name, TEXT + 0x31, 0x20))

    assert lines[1] == "STACK CFI INIT 1030 30 .cfa: sp 0 + .ra: .undef"


def test_other_functions_without_unwinding_are_not_the_bottom():
    lines = text((TEXT, PUSH), (TEXT + 0x20, 1), dynamic=dynamic(b"cloned", TEXT + 0x31, 0x20))

    assert len(lines) == 1


def test_a_program_begins_where_nobody_called():
    data = bytearray(program((TEXT, 1), (TEXT + 0x80, PUSH)))
    struct.pack_into("<I", data, 24, TEXT + 0x11)

    assert exidx_text(bytes(data)).startswith(b"STACK CFI INIT 1010 40 .cfa: sp 0 + .ra: .undef\n")


def test_only_entries_that_say_something_count_as_unwind_information():
    assert has_exidx(program((TEXT, PUSH)))
    assert not has_exidx(program((TEXT, 1)))
    assert not has_exidx(program())
    assert not has_exidx(elf(X86_64, [Section(".ARM.exidx", bytes(8), INDEX, type=SHT_ARM_EXIDX)]))
    assert exidx_text(elf(X86_64, [Section(".ARM.exidx", bytes(8), INDEX, type=SHT_ARM_EXIDX)])) == b""


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20))), st.integers(0, 60), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_gaps_are_what_no_known_range_holds(known, start, size):
    spans = [Span(first, first + length) for first, length in known]
    held = {at for span in spans for at in range(*span)}

    gaps = list(Gaps(spans).within(Span(start, start + size)))

    assert [at for gap in gaps for at in range(*gap)] == sorted(set(range(start, start + size)) - held)


def test_damaged_files_give_records_or_a_format_error():
    whole = unpacked(STRIPPED)
    assert exidx_text(whole).count(b"\n") > 10
    chance = random.Random(1)
    index = whole.find(struct.pack("<I", 1)) & ~7
    for _ in range(600):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 4, 30))):
            near = chance.choice((52, 512, index + 256, len(whole)))
            damaged[chance.randrange(near)] = chance.randrange(256)
        cut = bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.2 else damaged)
        try:
            found = exidx_text(cut)
            has_exidx(cut)
        except FormatError:
            continue
        assert all(line.startswith(b"STACK CFI INIT ") for line in found.splitlines())
