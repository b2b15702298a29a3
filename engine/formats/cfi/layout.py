"""The layout of an index file.

    header | table of STACK CFI | table of STACK WIN 4 (frame data) | table of STACK WIN 0 (FPO) | text

The header is magic (8 bytes), version (u32), width of a number (u32: 4 or 8), lengths of the three tables (u64 each),
records that could not be read (u64), place and length of the text (u64 each). A table is three arrays of numbers as
long as the table: starts (ascending), sizes, places of the records in the text; each array begins at a multiple of 8.
Numbers are in the order of the machine, so that they can be mapped as they are; files of a machine with the other order
are of no known version. Ranges of one table do not overlap: what lies inside of another was cut out of it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Literal

from engine.formats.bytewise import FormatError

MAGIC = b"CFIINDEX"
VERSION = 1
HEADER = struct.Struct("=8sIIQQQQQQ")
WIDTHS: Final[dict[int, Literal["I", "Q"]]] = {4: "I", 8: "Q"}
TABLES = 3


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself. `lengths` are those of the tables; `text` is the place of the text in bytes."""

    width: int
    lengths: tuple[int, ...]
    skipped: int
    text: int
    text_length: int

    @property
    def tables_start(self) -> int:
        return aligned(HEADER.size)

    def array_bytes(self, length: int) -> int:
        return aligned(length * self.width)

    def packed(self) -> bytes:
        return HEADER.pack(MAGIC, VERSION, self.width, *self.lengths, self.skipped, self.text, self.text_length)

    @classmethod
    def of(cls, width: int, lengths: tuple[int, ...], skipped: int, text_length: int) -> Header:
        """The header of a file whose text follows its tables."""
        text = aligned(HEADER.size) + sum(3 * aligned(length * width) for length in lengths)
        return cls(width, lengths, skipped, text, text_length)


def read_header(data: memoryview) -> Header:
    """The header at the start of `data`; FormatError when it is none, or the file is not as long as it says."""
    if len(data) < HEADER.size:
        raise FormatError("the index of unwind rules is too short")
    magic, version, width, *numbers = HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or width not in WIDTHS:
        raise FormatError("not an index of unwind rules, or one of another version")
    *lengths, skipped, text, text_length = numbers
    header = Header.of(width, tuple(lengths), skipped, text_length)
    if header.text != text or text + text_length > len(data):
        raise FormatError("the index of unwind rules is damaged")
    return header


def aligned(size: int) -> int:
    return -(-size // 8) * 8
