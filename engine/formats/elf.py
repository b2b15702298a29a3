"""The sections of ELF files of both classes and byte orders.

After the generic ABI of System V (Object Files). Only what unwinding needs: where sections lie, and what they hold.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from engine.formats.bytewise import Data, FormatError, part, viewed

MAGIC: Final = b"\x7fELF"
MAX_SECTIONS: Final = 1 << 20
MAX_SEGMENTS: Final = 1 << 16
MAX_UNPACKED_BYTES: Final = 1 << 30
NOBITS: Final = 8
ARM_EXIDX: Final = 0x70000001
_COMPRESSED: Final = 0x800
_ZLIB: Final = 1
_LOAD: Final = 1
_NAME_BYTES: Final = 64


class Section(NamedTuple):
    """One section; `address` is absolute as the file has it, `offset` and `size` are bytes of the file."""

    name: bytes
    type: int
    flags: int
    address: int
    offset: int
    size: int


class Elf:
    """The sections of one file. `load_address` is what addresses of the module are relative to.

    `entry` is the absolute address at which a program begins, zero where there is none.
    """

    def __init__(self, data: Data) -> None:
        """FormatError when `data` is no ELF file, or its tables cannot be read."""
        self._data = viewed(data)
        head = bytes(self._data[:6])
        if head[:4] != MAGIC or len(self._data) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):
            raise FormatError("not an ELF file")
        self.wide = head[4] == 2
        self.big = head[5] == 2
        self._order = ">" if self.big else "<"
        layout = "HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH"
        fields = self._unpack(layout, 16)
        self.machine = fields[1]
        self.entry, self._segments, self._table = fields[3:6]
        self._segment_size, self._segment_count, self._row_size, self._count, self._names = fields[8:13]
        self.sections = self._read_sections()
        self.load_address = self._read_load_address()

    def find(self, name: bytes) -> Section | None:
        """The first section of this name that has content in the file."""
        return next((one for one in self.sections if one.name == name and one.type != NOBITS and one.size), None)

    def content(self, section: Section) -> memoryview:
        """What a section holds, unpacked. FormatError when it is not all there, or packed as nobody unpacks it."""
        if section.type == NOBITS:
            return memoryview(b"")
        raw = part(self._data, section.offset, section.size, "a section")
        return self._unpacked(raw) if section.flags & _COMPRESSED else raw

    def _unpacked(self, raw: memoryview) -> memoryview:
        head = struct.Struct(self._order + ("IIQQ" if self.wide else "III"))
        if len(raw) < head.size:
            raise FormatError("a packed section is too short")
        method, size = (head.unpack_from(raw)[at] for at in ((0, 2) if self.wide else (0, 1)))
        if method != _ZLIB or size > MAX_UNPACKED_BYTES:
            raise FormatError("a section is packed in a way that is not known")
        try:
            return memoryview(zlib.decompressobj().decompress(raw[head.size :], size))
        except zlib.error as error:
            raise FormatError("a packed section is damaged") from error

    def _read_sections(self) -> tuple[Section, ...]:
        row = struct.Struct(self._order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII"))
        if not self._table or self._row_size < row.size:
            return ()
        first = row.unpack(part(self._data, self._table, row.size, "the section table"))
        # Files with very many sections say so in the first row.
        count = self._count or first[5]
        names_at = self._names if self._names != 0xFFFF else first[6]
        if count > MAX_SECTIONS:
            raise FormatError("the file lists too many sections")
        table = part(self._data, self._table, count * self._row_size, "the section table")
        rows = [row.unpack_from(table, at * self._row_size) for at in range(count)]
        names = self._strings(rows[names_at]) if names_at < len(rows) else memoryview(b"")
        return tuple([Section(_name(names, fields[0]), *fields[1:6]) for fields in rows])

    def _strings(self, row: tuple[int, ...]) -> memoryview:
        return part(self._data, row[4], row[5], "the names of sections") if row[1] != NOBITS else memoryview(b"")

    def _read_load_address(self) -> int:
        form = struct.Struct(self._order + ("IIQQQQQQ" if self.wide else "IIIIIIII"))
        if not self._segments or self._segment_size < form.size or self._segment_count > MAX_SEGMENTS:
            return 0
        table = part(self._data, self._segments, self._segment_count * self._segment_size, "the program headers")
        for at in range(self._segment_count):
            fields = form.unpack_from(table, at * self._segment_size)
            if fields[0] == _LOAD:
                return int(fields[3] if self.wide else fields[2])
        return 0

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        form = struct.Struct(self._order + layout)
        return form.unpack(part(self._data, at, form.size, "the ELF header"))


def _name(names: memoryview, at: int) -> bytes:
    return bytes(names[at : at + _NAME_BYTES]).partition(b"\0")[0]
