"""Unwind rules read in place: the same as those that are made text of first, whatever the file holds."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symbolic.debuginfo import Archive

from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex, build_index
from engine.formats.eh_frame import EhFrameIndex, unwind_text
from engine.formats.eh_frame.entries import LONGEST_ENTRY
from tests.engine.formats.elf_builder import ARM64, MIPS, TEXT, X86, X86_64, Frames, Section, uleb

LIBRARIES = [Path("/lib/x86_64-linux-gnu") / name for name in ("libc.so.6", "libz.so.1", "libgcc_s.so.1")]
HEADER_ADDRESS = 0x7000
CPUS = {"x86_64": (X86_64, 7, 16), "x86": (X86, 4, 8), "arm64": (ARM64, 31, 30)}
SIZE = 24


def index_of(text):
    target = io.BytesIO()
    build_index(text, target)
    return CfiIndex(target.getvalue())


def rules(found):
    """Rules by the name of what they restore; the last one counts."""
    named, terms = {}, []
    for token in found[1].split() if found else ():
        if token.endswith(":"):
            terms = named[token[:-1]] = []
        else:
            terms.append(token)
    return {name: " ".join(terms) for name, terms in named.items()}


def header(frames, places, count=None):
    """A table of functions: pairs of start and place of the entry in .eh_frame."""
    pairs = [(start - HEADER_ADDRESS, frames.address + place - HEADER_ADDRESS) for start, place in places]
    content = b"\1\x1b\3\x3b" + struct.pack("<iI", 0, len(pairs) if count is None else count)
    return Section(".eh_frame_hdr", content + b"".join(struct.pack("<ii", *pair) for pair in pairs), HEADER_ADDRESS)


def made(cpu, programs, **options):
    """A file with one function of `SIZE` bytes for each program."""
    target, sp, ra = CPUS[cpu]
    frames = Frames(target)
    cie = frames.cie(
        b"\x0c" + uleb(sp) + uleb(8) + (b"" if cpu == "arm64" else bytes([0x80 | ra, 1])), ra=ra, **options
    )
    places = []
    for number, program in enumerate(programs):
        places.append((TEXT + number * SIZE, len(frames.content)))
        frames.fde(cie, TEXT + number * SIZE, SIZE, program)
    return frames.file(header(frames, places))


def text_of(data):
    """The rules as text, nothing where nothing is said."""
    try:
        return unwind_text(data)
    except FormatError:
        return b""


def same(data, addresses):
    """Whether text and place say the same at every address."""
    in_place, text = EhFrameIndex(data), index_of(text_of(data))
    for address in addresses:
        said, expected = in_place.cfi(address), text.cfi(address)
        assert rules(said) == rules(expected), hex(address)
        # A function's text begins where the first of its rules is that can be written.
        if said and expected and said[0] != expected[0]:
            assert said[0] < expected[0]
            assert text.cfi(said[0]) is None
        assert in_place.covers(address) == text.covers(address)


@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.name)
def test_the_rules_of_system_libraries_are_those_of_their_text(path):
    if not path.exists():
        pytest.skip(f"there is no {path.name} here")
    data = path.read_bytes()
    in_place, text = EhFrameIndex(data), index_of(unwind_text(data))
    by_library = index_of(Archive.from_bytes(data)._get_object(0).make_cficache().open_stream().read())
    addresses = random.Random(1).sample(range(len(data)), 1500)

    found = [rules(in_place.cfi(address)) for address in addresses]
    assert sum(map(bool, found)) > 100
    assert found == [rules(text.cfi(address)) for address in addresses]
    signals = [at for at, said in zip(addresses, found, strict=True) if ".signal" in said]
    expected = [rules(by_library.cfi(at)) for at in addresses]
    assert [at for at, said, other in zip(addresses, found, expected, strict=True) if said != other] == signals


NUMBER = st.integers(0, 300).map(uleb)
REGISTER = st.sampled_from([3, 6, 7, 12, 15, 29, 30, 31, 40]).map(uleb)
INSTRUCTIONS = st.one_of(
    st.integers(0x40, 0x47).map(lambda code: bytes([code])),
    st.tuples(st.integers(0x80, 0x9F).map(lambda code: bytes([code])), NUMBER).map(b"".join),
    st.integers(0xC0, 0xDF).map(lambda code: bytes([code])),
    st.tuples(st.just(b"\x0c"), REGISTER, NUMBER).map(b"".join),
    st.tuples(st.just(b"\x0d"), REGISTER).map(b"".join),
    st.tuples(st.just(b"\x0e"), NUMBER).map(b"".join),
    st.tuples(st.just(b"\x05"), REGISTER, NUMBER).map(b"".join),
    st.tuples(st.just(b"\x06"), REGISTER).map(b"".join),
    st.tuples(st.just(b"\x2e"), NUMBER).map(b"".join),
    st.sampled_from([b"\0", b"\x0a", b"\x0b", b"\x02\x03", b"\x03\x02\x00", b"\x07\x10", b"\x08\x03"]),
    st.sampled_from([b"\x0f\x03\x77\x08\x06", b"\x10\x06\x02\x76\x00", b"\x3f", b"\x01", b"\x8e\xff", b"\x0c\x07"]),
)
PROGRAMS = st.lists(st.lists(INSTRUCTIONS, max_size=10).map(b"".join), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(CPUS)), PROGRAMS, st.sampled_from([1, 4]))
def test_any_program_means_what_its_text_says(cpu, programs, factor):
    same(made(cpu, programs, code=factor), range(TEXT - 2, TEXT + SIZE * len(programs) + 2))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_tables_raise_nothing(data):
    content = bytearray(made("x86_64", [b"\x41\x0e\x10\x86\x02\x41\x0d\x06", b"\x0a\x41\x0b", b"\x0e\x20"]))
    begin = content.find(b"\1zR")
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(begin - 16, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        index = EhFrameIndex(bytes(content))
    except FormatError:
        return
    for address in range(TEXT - 2, TEXT + SIZE * 3 + 2):
        index.cfi(address)


def test_an_address_behind_a_function_has_no_rules():
    index = EhFrameIndex(made("x86_64", [b"", b""]))

    assert [index.covers(TEXT + at) for at in (-1, 0, 2 * SIZE - 1, 2 * SIZE)] == [False, True, True, False]
    assert not index.is_empty
    assert index.win(TEXT) is None


def test_what_signal_handlers_return_to_is_told_apart():
    data = made("x86_64", [b"", b"\x41\x0e\x10"], augmentation=b"zRS")

    assert rules(EhFrameIndex(data).cfi(TEXT))[".signal"] == "1"
    same(data, range(TEXT, TEXT + 2 * SIZE))


def test_an_entry_that_would_take_long_is_not_read():
    assert EhFrameIndex(made("x86_64", [bytes(LONGEST_ENTRY - 64)])).cfi(TEXT) is not None
    assert EhFrameIndex(made("x86_64", [bytes(LONGEST_ENTRY)])).cfi(TEXT) is None


def readable(data):
    try:
        return EhFrameIndex(data) is not None
    except FormatError:
        return False


def test_files_whose_rules_are_not_all_there_are_left_to_conversion():
    frames = Frames(X86_64)
    cie = frames.cie(b"\x0c\x07\x08")
    place = len(frames.content)
    frames.fde(cie, TEXT, SIZE)
    whole = header(frames, [(TEXT, place)])
    others = Section(".debug_frame", bytes(32), 0, flags=0)
    refused = {
        "no table": frames.file(),
        "an empty table": frames.file(header(frames, [])),
        "a table that is cut off": frames.file(header(frames, [(TEXT, place)], count=9)),
        "rules elsewhere": frames.file(whole, others),
        "another machine": Frames(MIPS).file(),
        "no ELF file": b"MZ" + bytes(100),
    }
    assert [name for name, data in refused.items() if readable(data)] == []
    assert EhFrameIndex(frames.file(whole)).cfi(TEXT) is not None


def test_the_checksum_is_that_of_the_tables_alone():
    data = bytearray(made("x86_64", [b"\x41\x0e\x10"]))
    first = EhFrameIndex(bytes(data)).checksum
    text = data.find(bytes(64))
    data[text + 8] ^= 1
    assert EhFrameIndex(bytes(data)).checksum == first
    data[data.find(b"\x41\x0e\x10") + 2] ^= 1
    assert EhFrameIndex(bytes(data)).checksum != first
