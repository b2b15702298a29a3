"""The entries of .eh_frame and .debug_frame: common ones (CIE) and those of functions (FDE).

After DWARF 5 (6.4.1) and the Linux Standard Base (Core, 10.6: exception frames).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.formats.bytewise import FormatError
from engine.formats.eh_frame.numbers import (
    ABSOLUTE,
    ALIGNED,
    DATA_RELATIVE,
    INDIRECT,
    OMITTED,
    PC_RELATIVE,
    TEXT_RELATIVE,
    Numbers,
)

_VERSIONS: Final = (1, 3, 4)
_WIDE: Final = 0xFFFFFFFF
_NOWHERE: Final = -1
# Bytes; several times what the largest functions have. Nobody reads a longer one whenever one address is asked about.
LONGEST_ENTRY: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Frames:
    """One section of unwind tables. Addresses are absolute as the file has them, `word` is their size in bytes.

    `text` and `data` are what pointers can be relative to besides the place that they are written at.
    """

    content: memoryview
    address: int
    debug: bool
    big: bool
    word: int
    text: int = 0
    data: int = 0

    def numbers(self, position: int, end: int | None = None) -> Numbers:
        return Numbers(self.content, big=self.big, word=self.word, position=position, end=end)


@dataclass(frozen=True, slots=True)
class Cie:
    """What many functions have in common: factors, the column of the return address, the first instructions.

    `signal` tells of code that signal handlers return to: what it returns to was interrupted anywhere, not calling.
    """

    code_factor: int
    data_factor: int
    return_register: int
    encoding: int
    augmented: bool
    word: int
    instructions: Numbers
    signal: bool = False


@dataclass(frozen=True, slots=True)
class Fde:
    """The entry of one function: `start` and `size` in bytes, and the instructions that follow those of its CIE."""

    cie_place: int
    cie: Cie
    start: int
    size: int
    instructions: Numbers


def entries(frames: Frames) -> Iterator[Fde]:
    """Every entry of a function that can be read, in the order of the section."""
    common: dict[int, Cie | None] = {}
    for body, wide in _bodies(frames):
        try:
            entry = _entry(frames, body, common, wide=wide)
        except FormatError:
            # Each entry stands for itself.
            continue
        if entry is not None:
            yield entry


def entry_at(frames: Frames, place: int, common: dict[int, Cie | None]) -> Fde | None:
    """The entry of a function at a place in the section, None where there is none. Raises FormatError.

    `common` are the CIEs that were read before, by their places. Entries of more than `LONGEST_ENTRY` are not read.
    """
    body, wide = _body(frames, place)
    identity = body.within(body.end).number(8 if wide else 4)
    cie_place = _common_place(frames, identity, body.position + (8 if wide else 4), wide=wide)
    if cie_place == _NOWHERE:
        return None
    _body(frames, cie_place)
    return _entry(frames, body, common, wide=wide)


def _body(frames: Frames, place: int) -> tuple[Numbers, bool]:
    """What follows the length of an entry at a place, and whether it has the 64 bit form. FormatError if too long."""
    if place < 0:
        raise FormatError("an unwind entry lies nowhere")
    head = frames.numbers(place)
    size, wide = head.number(4), False
    if size == _WIDE:
        size, wide = head.number(8), True
    if not 0 < size <= LONGEST_ENTRY or head.position + size > head.end:
        raise FormatError("an unwind entry is too long")
    return head.within(head.position + size), wide


def _entry(frames: Frames, body: Numbers, common: dict[int, Cie | None], *, wide: bool) -> Fde | None:
    """The function that an entry is about; None for a CIE, and where the CIE cannot be read."""
    identity = body.number(8 if wide else 4)
    cie_place = _common_place(frames, identity, body.position, wide=wide)
    if cie_place == _NOWHERE:
        return None
    if cie_place not in common:
        common[cie_place] = read_common(frames, cie_place)
    cie = common[cie_place]
    return None if cie is None else _read_function(frames, cie, cie_place, body)


def _bodies(frames: Frames) -> Iterator[tuple[Numbers, bool]]:
    """What follows the length of each entry, and whether the entry has the 64 bit form."""
    at = 0
    while at + 4 <= len(frames.content):
        numbers = frames.numbers(at)
        size, wide = numbers.number(4), False
        if size == _WIDE and at + 12 <= len(frames.content):
            size, wide = numbers.number(8), True
        start, at_end = numbers.position, numbers.position + size
        if at_end > len(frames.content):
            return
        # An empty entry ends the tables of one linked file; those of the next may follow.
        if size:
            yield frames.numbers(start, at_end), wide
        at = at_end


def _common_place(frames: Frames, pointer: int, after: int, *, wide: bool) -> int:
    """Where the CIE of an entry is; NOWHERE when the entry is a CIE itself."""
    if frames.debug:
        return _NOWHERE if pointer == (1 << (64 if wide else 32)) - 1 else pointer
    return _NOWHERE if pointer == 0 else after - (8 if wide else 4) - pointer


def read_common(frames: Frames, place: int) -> Cie | None:
    """The CIE at a place; None when there is none that can be read."""
    if place < 0:
        return None
    try:
        head = frames.numbers(place)
        size, wide = head.number(4), False
        if size == _WIDE:
            size, wide = head.number(8), True
        body = head.within(head.position + size)
        identity = body.number(8 if wide else 4)
        if _common_place(frames, identity, body.position, wide=wide) != _NOWHERE:
            return None
        return _read_fields(frames, body)
    except FormatError:
        return None


def _read_fields(frames: Frames, body: Numbers) -> Cie:
    version, augmentation = body.u8(), body.text()
    if version not in _VERSIONS:
        raise FormatError("unwind tables of an unknown version")
    if augmentation.startswith(b"eh"):
        body.skip(frames.word)
    if version == 4:
        body.word = body.u8()
        if body.word not in (4, 8) or body.u8():
            raise FormatError("unwind tables of an unknown kind of addresses")
    code, data = body.uleb(), body.sleb()
    register = body.u8() if version == 1 else body.uleb()
    encoding, augmented = ABSOLUTE, augmentation.startswith(b"z")
    if augmented:
        size = body.uleb()
        encoding = _encoding(augmentation, body.within(body.position + size))
        body.skip(size)
    elif augmentation not in (b"", b"eh"):
        raise FormatError("unwind tables with an unknown augmentation")
    rest = body.within(body.end)
    return Cie(code, data, register, encoding, augmented, body.word, rest, augmented and b"S" in augmentation)


def _encoding(augmentation: bytes, extra: Numbers) -> int:
    """How pointers to functions are written; what comes behind a letter that is not known is not looked at."""
    encoding = ABSOLUTE
    for letter in augmentation[1:]:
        if letter == ord("R"):
            encoding = extra.u8()
        elif letter == ord("P"):
            form = extra.u8()
            if form != OMITTED:
                _align(extra, form)
                extra.value(form)
        elif letter == ord("L"):
            extra.u8()
        elif letter not in b"SBG":
            break
    return encoding


def _read_function(frames: Frames, cie: Cie, cie_place: int, body: Numbers) -> Fde:
    body.word = cie.word
    encoding = ABSOLUTE if frames.debug else cie.encoding
    start = pointer(frames, body, encoding)
    size = body.value(encoding & 0x0F)
    if cie.augmented:
        body.skip(body.uleb())
    limit = 1 << (8 * cie.word)
    return Fde(cie_place, cie, start, size % limit, body)


def pointer(frames: Frames, numbers: Numbers, encoding: int) -> int:
    """An encoded pointer as an absolute address. FormatError for those that nobody can follow in a file."""
    if encoding == OMITTED or encoding & INDIRECT:
        raise FormatError("a pointer leads through memory that is not in the file")
    _align(numbers, encoding)
    bases = {
        ABSOLUTE: 0,
        ALIGNED: 0,
        PC_RELATIVE: frames.address + numbers.position,
        TEXT_RELATIVE: frames.text,
        DATA_RELATIVE: frames.data,
    }
    base = bases.get(encoding & 0x70)
    if base is None:
        raise FormatError("a pointer is relative to something that is not known")
    value = numbers.value(encoding & 0x0F)
    return (base + value) % (1 << (8 * numbers.word))


def _align(numbers: Numbers, encoding: int) -> None:
    if encoding & 0x70 == ALIGNED:
        numbers.skip(-numbers.position % numbers.word)
