"""Unwind rules read where they lie in an ELF file, function by function, without making text of them all first.

.eh_frame_hdr has a table of all functions of .eh_frame, ascending (Linux Standard Base, Core, 10.6.2). What it leads to
is read as `tables.unwind_text` reads it, which the rules found here equal, term by term.
"""

from __future__ import annotations

import sys
import zlib
from bisect import bisect_right
from typing import Final

from engine.formats.bytewise import Data, FormatError
from engine.formats.eh_frame.entries import Cie, Fde, Frames, entry_at
from engine.formats.eh_frame.numbers import DATA_RELATIVE
from engine.formats.eh_frame.program import Rules, first_rules
from engine.formats.eh_frame.quick import Usual, common_bytes, head_at, read_usual, rules_at
from engine.formats.eh_frame.registers import MACHINES, Machine
from engine.formats.eh_frame.tables import DEBUG_FRAME, EH_FRAME, PACKED_DEBUG_FRAME, section_frames
from engine.formats.eh_frame.text import terms_at
from engine.formats.elf import Elf, Section

HEADER: Final = b".eh_frame_hdr"
# Processors whose files have all their rules in these tables: x86, x86-64, ARM64.
_MACHINES: Final = frozenset({3, 62, 183})
_VERSION: Final = 1
_COUNTED: Final = 0x03
_PAIRS: Final = DATA_RELATIVE | 0x0B


class EhFrameIndex:
    """The unwind rules of one ELF file. Addresses are relative to the module; `data` stays in use as long as this.

    Safe to use from several threads. Damaged tables give wrong rules or none, but raise nothing.
    """

    def __init__(self, data: Data) -> None:
        """FormatError when the file's rules cannot be read in place, or are not all there."""
        elf = Elf(data)
        frames, header = _sections(elf)
        self._machine: Machine = MACHINES[elf.machine]
        self._frames: Frames = section_frames(elf, frames)
        self._base = elf.load_address
        self._place = header.address
        self._starts, self._entries = _table(elf, header)
        self._first: dict[int, Rules] = {}
        self._usual: dict[int, Usual | None] = {}
        self._common: dict[int, Cie | None] = {}
        self.checksum = zlib.crc32(self._frames.content, zlib.crc32(elf.content(header)))

    @property
    def is_empty(self) -> bool:
        """Whether there is no function at all."""
        return not len(self._starts)

    def covers(self, relative: int) -> bool:
        """Whether a function whose rules are known holds the address."""
        return self.cfi(relative) is not None

    def cfi(self, relative: int) -> tuple[int, str] | None:
        """Start of the function that holds the address, and the rules that hold there, each register's once."""
        try:
            return self._rules(relative + self._base)
        except FormatError:
            return None

    def win(self, relative: int) -> None:
        """ELF files have no records of this kind."""
        return

    def _rules(self, address: int) -> tuple[int, str] | None:
        at = bisect_right(self._starts, address - self._place) - 1
        if at < 0:
            return None
        place = self._place + self._entries[at] - self._frames.address
        head = head_at(self._frames.content, place, self._frames.address)
        usual = self._usual_common(head.cie_place) if head is not None else None
        if head is None or usual is None:
            return self._in_general(place, address)
        if not 0 <= address - head.start < head.size:
            return None
        found = rules_at(self._frames.content, head, usual, address)
        if found is None or found[0] >= len(self._machine.names):
            return self._in_general(place, address)
        return head.start - self._base, self._text(usual, *found)

    def _in_general(self, place: int, address: int) -> tuple[int, str] | None:
        entry = entry_at(self._frames, place, self._common)
        if entry is None or not 0 <= address - entry.start < entry.size:
            return None
        said = terms_at(self._frames, entry, self._machine, self._first_rules(entry), address)
        if not said:
            return None
        return entry.start - self._base, " ".join([f"{name}: {term}" for name, term in said.items()])

    def _first_rules(self, entry: Fde) -> Rules:
        known = self._first.get(entry.cie_place)
        if known is None:
            known = self._first[entry.cie_place] = first_rules(self._frames, entry.cie, self._machine)
        return known

    def _usual_common(self, place: int) -> Usual | None:
        """What the CIE at a place says, if it is a usual one."""
        if place not in self._usual:
            self._usual[place] = (
                None if self._frames.word != 8 else read_usual(common_bytes(self._frames.content, place), self._machine)
            )
        return self._usual[place]

    def _text(self, usual: Usual, register: int, offset: int, saved: dict[int, int]) -> str:
        """The terms of a function with usual rules."""
        names, returning = self._machine.names, usual.return_register
        terms = [f".cfa: {names[register]} {offset} +"]
        if self._machine.leaf_returns and returning not in saved:
            terms.append(f".ra: {names[returning] if returning < len(names) else ''}")
        terms += [
            f"{'.ra' if number == returning else names[number]}: .cfa {distance} + ^"
            for number, distance in saved.items()
            if number < len(names) or number == returning
        ]
        return " ".join(terms)


def _sections(elf: Elf) -> tuple[Section, Section]:
    """The tables and their header. FormatError where there are none, or others besides that are as good."""
    if elf.machine not in _MACHINES or elf.big or sys.byteorder != "little":
        raise FormatError("unwind rules of this machine are not read in place")
    if any(elf.find(name) is not None for name in (DEBUG_FRAME, PACKED_DEBUG_FRAME)):
        raise FormatError("there are unwind rules elsewhere")
    frames, header = elf.find(EH_FRAME), elf.find(HEADER)
    if frames is None or header is None:
        raise FormatError("there is no table of functions")
    return frames, header


def _table(elf: Elf, header: Section) -> tuple[memoryview, memoryview]:
    """Where functions begin, and where their entries are: addresses relative to the header."""
    content = elf.content(header)
    if len(content) < 12 or content[0] != _VERSION or content[2] != _COUNTED or content[3] != _PAIRS:
        raise FormatError("the table of functions has a form that is not known")
    if content[1] & 0x0F not in (0x03, 0x0B):
        raise FormatError("the table of functions has a form that is not known")
    count = int.from_bytes(content[8:12], "little")
    if not count or 12 + 8 * count > len(content):
        raise FormatError("the table of functions is cut off")
    pairs = content[12 : 12 + 8 * count].cast("i")
    return pairs[0::2], pairs[1::2]
