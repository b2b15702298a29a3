"""Our own reader of DWARF unwind tables: the same rules as the library's, and each entry for itself."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symbolic.debuginfo import Archive
from symbolic.exceptions import SymbolicError

from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex, build_index
from engine.formats.eh_frame import has_unwind_tables, unwind_text
from tests.engine.formats.elf_builder import (
    ARM,
    ARM64,
    MIPS,
    PPC64,
    TARGETS,
    TEXT,
    X86_64,
    Frames,
    Section,
    elf,
    sleb,
    uleb,
)
from tests.engine.shared_fixtures import shared

RETURN = {"x86_64": 16, "x86": 8, "arm64": 30, "arm": 14, "mips": 31, "mipsel": 31, "mips64": 31}
STACK = {"x86_64": 7, "x86": 4, "arm64": 31, "arm": 13, "mips": 29, "mipsel": 29, "mips64": 29}
# Registers that stack walkers know; the library names more.
GENERAL = {"x86_64": 17, "x86": 9, "arm64": 32, "arm": 16, "mips": 32, "mipsel": 32, "mips64": 32}
OFFSET, SAME, UNDEFINED, REGISTER, REMEMBER, BACK = b"\x05", b"\x08", b"\x07", b"\x09", b"\x0a", b"\x0b"
CFA, CFA_REGISTER, CFA_OFFSET, CFA_EXPRESSION = b"\x0c", b"\x0d", b"\x0e", b"\x0f"
NEXT = b"\x41"
LIBRARIES = [Path("/lib/x86_64-linux-gnu") / name for name in ("libc.so.6", "libz.so.1", "libgcc_s.so.1")]


def by_library(data):
    return Archive.from_bytes(data)._get_object(0).make_cficache().open_stream().read()


def frames_of(name, **options):
    frames = Frames(TARGETS[name], **options)
    return frames, frames.cie(CFA + uleb(STACK[name]) + uleb(8), ra=RETURN[name])


def one(name, instructions, **options):
    """The text of a function of 16 bytes with these instructions."""
    frames, cie = frames_of(name, **options)
    frames.fde(cie, TEXT, 16, instructions)
    return unwind_text(frames.file()).decode(), frames.file()


def index_of(text):
    target = io.BytesIO()
    build_index(text, target)
    return CfiIndex(target.getvalue())


def rules(text, address):
    """Rules by the name of what they restore; the last one counts."""
    found = index_of(text).cfi(address)
    named, terms = {}, []
    for token in found[1].split() if found else ():
        if token.endswith(":"):
            terms = named[token[:-1]] = []
        else:
            terms.append(token)
    return {name: " ".join(terms) for name, terms in named.items()}


@pytest.mark.parametrize("name", TARGETS)
def test_general_registers_have_the_names_that_the_library_gives_them(name):
    frames, cie = frames_of(name)
    for number in range(GENERAL[name]):
        frames.fde(cie, TEXT + number * 16, 16, OFFSET + uleb(number) + uleb(number + 1))
    data = frames.file()

    assert sorted(unwind_text(data).splitlines()) == sorted(by_library(data).splitlines())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(
    "instructions",
    [
        b"",
        UNDEFINED + b"%ra",
        SAME + b"%ra",
        OFFSET + b"%ra\x01" + NEXT + b"\x06%ra" + NEXT + CFA_OFFSET + b"\x10",
        REGISTER + b"%ra%sp",
        REGISTER + b"\x03%sp",
        b"\x14%ra\x02",
        b"\x15\x03\x7e",
        b"\x11\x03\x7e" + NEXT + b"\x12%sp\x7e" + NEXT + b"\x13\x7d",
        OFFSET + b"\x03\x02" + NEXT + SAME + b"\x03",
        OFFSET + b"\x03\x02" + NEXT + b"\x06\x03" + NEXT + OFFSET + b"\x03\x02",
        REMEMBER + NEXT + CFA_OFFSET + b"\x20" + OFFSET + b"\x03\x02" + NEXT + BACK,
        REMEMBER + NEXT + CFA_REGISTER + b"\x03" + NEXT + BACK + NEXT + CFA_REGISTER + b"\x02",
        b"\x02\x03" + CFA_OFFSET + b"\x10" + b"\x83\x03" + b"\x02\x02" + b"\xc3",
        OFFSET + b"\xff\x07\x02" + NEXT + CFA_OFFSET + b"\x10",
        NEXT + CFA_EXPRESSION + b"\x02\x08\x10",
        b"\x10\x03\x02\x08\x10",
        NEXT + CFA_OFFSET + b"\x20" + b"\x3a" + NEXT + CFA_OFFSET + b"\x30",
        b"\x4f" + CFA_OFFSET + b"\x20",
    ],
)  # fmt: skip
def test_instructions_give_the_rows_that_the_library_gives(name, instructions):
    filled = instructions.replace(b"%ra", uleb(RETURN[name])).replace(b"%sp", uleb(STACK[name]))
    text, data = one(name, filled)
    expected = by_library(data)

    for address in range(TEXT, TEXT + 16):
        assert rules(text.encode(), address) == rules(expected, address)


# The library takes the addresses of the 64 bit kind of MIPS for those of the other.
@pytest.mark.parametrize("name", [name for name in TARGETS if name != "mips64"])
def test_debug_frames_are_read_as_well(name):
    text, data = one(name, NEXT + CFA_OFFSET + b"\x20", debug=True)

    assert text.encode() == by_library(data)
    assert text.count("\n") == 2


def test_addresses_are_relative_to_where_the_file_is_loaded():
    frames, cie = frames_of("x86_64")
    frames.fde(cie, TEXT, 16)

    assert unwind_text(frames.file(load=0x400)) == b"STACK CFI INIT c00 10 .cfa: $rsp 8 +\n"


@pytest.mark.parametrize(
    ("encoding", "write"),
    [
        (0x00, lambda at: (TEXT).to_bytes(8, "little") + (16).to_bytes(8, "little")),
        (0x01, lambda at: uleb(TEXT) + uleb(16)),
        (0x02, lambda at: (TEXT).to_bytes(2, "little") + (16).to_bytes(2, "little")),
        (0x03, lambda at: (TEXT).to_bytes(4, "little") + (16).to_bytes(4, "little")),
        (0x04, lambda at: (TEXT).to_bytes(8, "little") + (16).to_bytes(8, "little")),
        (0x09, lambda at: sleb(TEXT) + sleb(16)),
        (0x1B, lambda at: (TEXT - at).to_bytes(4, "little", signed=True) + (16).to_bytes(4, "little")),
        (0x1C, lambda at: (TEXT - at).to_bytes(8, "little", signed=True) + (16).to_bytes(8, "little")),
        (0x2B, lambda at: (0).to_bytes(4, "little") + (16).to_bytes(4, "little")),
        (0x3B, lambda at: (TEXT - 0x9000).to_bytes(4, "little", signed=True) + (16).to_bytes(4, "little")),
    ],
)
def test_pointers_of_all_encodings_in_use_are_followed(encoding, write):
    frames = Frames(X86_64)
    cie = frames.cie(CFA + b"\x07\x08", extra=bytes([encoding]))
    frames.fde(cie, TEXT, 16, encoded=write)

    text = unwind_text(frames.file(Section(".got", bytes(8), 0x9000)))
    assert text == b"STACK CFI INIT 1000 10 .cfa: $rsp 8 +\n"


def test_personality_and_language_data_are_passed_over():
    frames = Frames(X86_64)
    cie = frames.cie(CFA + b"\x07\x08", augmentation=b"zPLR", extra=b"\x9b" + bytes(4) + b"\x1b\x1b")
    frames.fde(cie, TEXT, 16, NEXT + CFA_OFFSET + b"\x10", augmented=b"\x04" + bytes(4))
    data = frames.file()

    assert unwind_text(data) == by_library(data)


def test_the_64_bit_form_of_entries_is_read():
    frames = Frames(X86_64, debug=True)
    cie = b"\xff" * 4 + (20).to_bytes(8, "little") + b"\xff" * 8 + b"\x04\0\x08\0\x01\x78\x10" + CFA + b"\x07\x08\0\0"
    fde = b"\xff" * 4 + (24).to_bytes(8, "little") + bytes(8) + TEXT.to_bytes(8, "little") + (16).to_bytes(8, "little")
    frames.content += cie + fde

    assert unwind_text(frames.file()) == b"STACK CFI INIT 1000 10 .cfa: $rsp 8 +\n"


def test_one_bad_entry_costs_itself_and_no_other():
    frames, cie = frames_of("x86_64")
    frames.fde(cie, TEXT, 16, b"\x0f\x01\x30" + CFA_OFFSET + b"\x08")
    frames.fde(cie, TEXT + 16, 16, NEXT + CFA_OFFSET + b"\x10")
    frames.fde(0x7777, TEXT + 32, 16)
    frames.fde(cie, TEXT + 48, 16)
    data = frames.file()
    with pytest.raises(SymbolicError):
        by_library(data)

    index = index_of(unwind_text(data))
    assert [index.covers(TEXT + 16 * at) for at in range(4)] == [False, True, False, True]


def test_a_function_begins_where_its_frame_can_be_told():
    text, _ = one("x86_64", CFA_EXPRESSION + b"\x01\x96" + NEXT + CFA + b"\x07\x10")

    assert text == "STACK CFI INIT 1001 f .cfa: $rsp 16 +\n"


@pytest.mark.parametrize(
    ("expression", "term"),
    [
        (b"\x76\x78", "$rbp -8 +"),
        (b"\x76\x78\x06", "$rbp -8 + ^"),
        (b"\x77\x08\x06\x23\x10", "$rsp 8 + ^ 16 +"),
        (b"\x76\x00\x38\x1c", "$rbp 0 + 8 -"),
    ],
)
def test_expressions_become_terms_where_there_are_words_for_them(expression, term):
    text, _ = one("x86_64", NEXT + CFA_EXPRESSION + uleb(len(expression)) + expression)

    assert text.splitlines()[1] == f"STACK CFI 1001 .cfa: {term}"


@pytest.mark.parametrize("name", TARGETS)
def test_instructions_that_say_nothing_of_frames_are_passed_over(name):
    text, _ = one(name, b"\x2d" + NEXT + b"\x2e\x10" + NEXT + CFA_OFFSET + b"\x20")

    assert rules(text.encode(), TEXT + 15)[".cfa"].endswith(" 32 +")


def test_rules_that_bring_back_what_nobody_kept_end_the_function():
    text, _ = one("x86_64", NEXT + CFA_OFFSET + b"\x10" + BACK + NEXT + CFA_OFFSET + b"\x20")

    assert text == "STACK CFI INIT 1000 10 .cfa: $rsp 8 +\nSTACK CFI 1001 .cfa: $rsp 16 +\n"


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", bytes(100), elf(PPC64, []), elf(ARM, []), elf(MIPS, [Section(".text", b"x")])]
)
def test_files_without_readable_entries_are_refused(data):
    with pytest.raises(FormatError):
        unwind_text(data)


def test_tables_without_an_entry_are_told_apart():
    frames, cie = frames_of("arm")
    empty = Frames(ARM)

    assert not has_unwind_tables(empty.file())
    assert not has_unwind_tables(elf(ARM, [Section(".eh_frame", b"", 0x8000)]))
    assert not has_unwind_tables(frames.file())
    frames.fde(cie, TEXT, 16)
    assert has_unwind_tables(frames.file())
    assert has_unwind_tables(elf(ARM, [Section(".zdebug_frame", b"ZLIB")]))


def test_packed_debug_frames_are_unpacked():
    frames, cie = frames_of("arm64", debug=True)
    frames.fde(cie, TEXT, 16)
    content = bytes(frames.content)
    packed = struct.pack("<IIQQ", 1, 0, len(content), 8) + zlib.compress(content)

    data = elf(ARM64, [Section(".text", bytes(64), TEXT), Section(".debug_frame", packed, flags=0x800)])
    assert unwind_text(data) == by_library(frames.file())


@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name)
def test_rules_of_system_libraries_are_those_of_the_library(path):
    if not path.exists():
        pytest.skip(f"this machine has no {path}")
    data = path.read_bytes()
    ours, theirs = index_of(unwind_text(data)), index_of(by_library(data))
    chosen = random.Random(7)
    starts = list(theirs._cfi._starts)
    addresses = [start + chosen.randrange(24) for start in chosen.sample(starts, min(150, len(starts)))]

    for address in addresses:
        found, expected = ours.cfi(address), theirs.cfi(address)
        assert (found is None) == (expected is None)
        assert found is None or (found[0], sorted(found[1].split(" "))) == (expected[0], sorted(expected[1].split(" ")))


def test_rules_of_arm64_are_those_of_the_library():
    data = shared("fixtures/peers/symbolic/linux/arm64/cfi_test").read_bytes()

    assert sorted(unwind_text(data).splitlines()) == sorted(by_library(data).splitlines())


WHOLE = Path(__file__).parents[2] / "fixtures" / "ledger" / "libledger.so"


@given(st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(1, 255)), min_size=1, max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_damaged_files_are_read_in_part_or_refused(flips, in_tables):
    data = bytearray(WHOLE.read_bytes())
    at = data.find(b"zR\0") - 9 if in_tables else 0
    for place, flip in flips:
        data[at + place % (3000 if in_tables else 64)] ^= flip
    try:
        has_unwind_tables(bytes(data))
        assert unwind_text(bytes(data)).startswith(b"STACK CFI INIT ")
    except FormatError:
        return


@given(st.sampled_from(sorted(TARGETS)), st.binary(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_instructions_give_text_or_nothing(name, instructions):
    try:
        text, _ = one(name, instructions)
    except FormatError:
        return
    assert index_of(text.encode()).skipped == 0
