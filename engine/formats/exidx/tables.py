"""The tables of an ELF file for 32-bit ARM: the index of functions, and the entries that it points to.

After ARM's "Exception Handling ABI for the Arm Architecture" (EHABI32, 6 and 7, 10.2): .ARM.exidx has two words for
every function, its address and its instructions or where in .ARM.extab these are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from engine.formats.bytewise import Data, FormatError
from engine.formats.elf import ARM_EXIDX, NOBITS, Elf, Section
from engine.formats.exidx.bottoms import outermost
from engine.formats.exidx.gaps import Gaps, Span
from engine.formats.exidx.instructions import rules

ARM: Final = 40
MAX_ENTRIES: Final = 1 << 20
MAX_TEXT_BYTES: Final = 256 << 20
_CANNOT_UNWIND: Final = 1
_IN_PLACE: Final = 1 << 31
_HIGHEST: Final = 0xFFFFFFFF
# Two words, and as many more as a byte can count.
_LONGEST_ENTRY: Final = 4 * (2 + 0xFF)
# Nobody called these functions.
_BOTTOM: Final = ".cfa: sp 0 + .ra: .undef"


class _Function(NamedTuple):
    """An entry of the index: addresses of its function, and of its second word, and that word."""

    start: int
    end: int
    place: int
    word: int


def has_exidx(data: Data) -> bool:
    """Whether an ELF file for ARM has an entry that says how to unwind. FormatError when `data` is no ELF file."""
    elf = Elf(data)
    if elf.machine != ARM:
        return False
    return any(function.word != _CANNOT_UNWIND for function in _Tables(elf).functions())


def exidx_text(data: Data, known: Iterable[Span] = ()) -> bytes:
    """The STACK CFI records of every function of ARM whose entry can be read, by relative addresses.

    Nothing is said of addresses in `known`. FormatError when `data` is no ELF file, or its index cannot be read.
    """
    elf = Elf(data)
    if elf.machine != ARM:
        return b""
    gaps, base = Gaps(known), elf.load_address
    text = bytearray()
    for span, said in _Tables(elf).rules():
        for start, end in gaps.within(Span(span.start - base, span.end - base)):
            text += f"STACK CFI INIT {start:x} {end - start:x} {said}\n".encode()
        if len(text) > MAX_TEXT_BYTES:
            break
    return bytes(text)


class _Tables:
    """The index of one file, and its sections as memory. All addresses are absolute as the file has them."""

    def __init__(self, elf: Elf) -> None:
        self._elf = elf
        order = ">" if elf.big else "<"
        self._pair, self._word = struct.Struct(order + "II"), struct.Struct(order + "I")
        self._mapped = [one for one in elf.sections if one.type != NOBITS and one.address and one.size]

    def functions(self) -> Iterator[_Function]:
        """The entries in their order, which is that of addresses: a function reaches to the next one."""
        section = next((one for one in self._mapped if one.type == ARM_EXIDX), None)
        if section is None:
            return
        table = self._elf.content(section)
        count = min(len(table) // self._pair.size, MAX_ENTRIES)
        before: tuple[int, int, int] | None = None
        for at, (offset, word) in enumerate(self._pair.iter_unpack(table[: count * self._pair.size])):
            place = section.address + at * self._pair.size
            start = _there(place, offset)
            if before is not None:
                yield _Function(before[0], start, *before[1:])
            before = start, place + 4, word
        if before is not None:
            code = self._section(before[0])
            yield _Function(before[0], code.address + code.size if code else before[0], *before[1:])

    def rules(self) -> Iterator[tuple[Span, str]]:
        """Addresses of functions, and the rules that hold there."""
        bottoms = outermost(self._elf)
        for function in self.functions():
            if function.word != _CANNOT_UNWIND:
                # Each function stands for itself.
                with suppress(FormatError):
                    yield Span(function.start, function.end), rules(self._instructions(function))
                continue
            for start, end in bottoms:
                yield Span(max(start, function.start), min(end, function.end)), _BOTTOM

    def _instructions(self, function: _Function) -> bytes:
        """The unwinding instructions, wherever they are. FormatError when they are not there."""
        if function.word & _IN_PLACE:
            return _compact(function.word, ())
        place = _there(function.place, function.word)
        section = self._section(place)
        if section is None:
            raise FormatError("an unwind entry lies nowhere")
        words = self._words(self._elf.content(section), place - section.address)
        first = _next(words)
        if first & _IN_PLACE:
            return _compact(first, words)
        # A language has a routine of its own. What it is given begins in the form that is shared by all that are known.
        second = _next(words)
        return _joined(second, 3, second >> 24, words)

    def _words(self, content: memoryview, at: int) -> Iterator[int]:
        whole = content[at : at + _LONGEST_ENTRY]
        whole = whole[: len(whole) - len(whole) % 4]
        return (word for (word,) in self._word.iter_unpack(whole))

    def _section(self, address: int) -> Section | None:
        return next((one for one in self._mapped if one.address <= address < one.address + one.size), None)


def _there(place: int, offset: int) -> int:
    """The address that a word of 31 bits with a sign points at from its own."""
    distance = offset & 0x7FFFFFFF
    return (place + distance - ((distance & 0x40000000) << 1)) & _HIGHEST


def _compact(word: int, more: Iterable[int]) -> bytes:
    """The instructions of an entry in one of the three forms that need no routine."""
    form = word >> 24 & 0x7F
    if form == 0:
        return _joined(word, 3, 0, more)
    if form in (1, 2):
        return _joined(word, 2, word >> 16 & 0xFF, more)
    raise FormatError("an unwind entry has a form that is not known")


def _joined(word: int, size: int, count: int, more: Iterable[int]) -> bytes:
    """The last `size` bytes of a word and `count` words more, the highest byte of each first."""
    rest = list(islice(more, count))
    if len(rest) < count:
        raise FormatError("an unwind entry is cut off")
    return word.to_bytes(4, "big")[-size:] + b"".join(one.to_bytes(4, "big") for one in rest)


def _next(words: Iterator[int]) -> int:
    found = next(words, None)
    if found is None:
        raise FormatError("an unwind entry is cut off")
    return found
