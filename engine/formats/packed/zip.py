"""ZIP archives (PKWARE's APPNOTE.TXT), read in place: stored and deflated members, ZIP64, data before the archive.

The standard library's reader keeps an object for each entry of a directory of any size and answers broken input with
a dozen kinds of errors; this one is bounded and has one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from engine.formats.bytewise import Cursor, Data, FormatError, part, viewed
from engine.formats.packed.inflate import PIECE_BYTES, RAW, inflated

MAX_MEMBERS = 1 << 19
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_LONGEST_COMMENT = (1 << 16) - 1
_ENCRYPTED, _UTF8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_EXTRA64 = 1
_IN_EXTRA = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. Sizes in bytes; `offset` is that of its local header in the data."""

    name: str
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int
    attributes: int = 0

    @property
    def unix_mode(self) -> int:
        """The mode that a Unix system gave the file; 0 where another made the archive."""
        return self.attributes >> 16


@dataclass(frozen=True, slots=True)
class _Directory:
    start: int
    size: int
    shift: int


class ZipReader:
    """The members of an archive one after another, in memory that does not grow with their number."""

    def __init__(self, data: Data, most: int = MAX_MEMBERS) -> None:
        """FormatError when there is no readable directory, or it lists more than `most` entries."""
        self._data = viewed(data)
        self._most = most
        self._directory = _find_directory(self._data, most)

    def __iter__(self) -> Iterator[Member]:
        """Every entry of the directory, in its order. Raises FormatError."""
        return _members(self._data, self._directory, self._most)

    def pieces(self, member: Member) -> Iterator[bytes]:
        """The content of a member, piece by piece, size and checksum verified at the end.

        At most `member.size` bytes come; the caller decides whether it wants so many. Raises FormatError.
        """
        left, crc = member.size, 0
        for piece in self._unpacked(member):
            left -= len(piece)
            if left < 0:
                raise FormatError("a member of the ZIP archive is larger than its directory says")
            crc = zlib.crc32(piece, crc)
            yield piece
        if left or crc != member.crc:
            raise FormatError("a member of the ZIP archive does not match its checksum")

    def read(self, member: Member, *, max_bytes: int) -> bytes:
        """The whole content of a member; FormatError when it has more than `max_bytes`."""
        if member.size > max_bytes:
            raise FormatError(f"a member of the ZIP archive has more than {max_bytes} bytes")
        return b"".join(self.pieces(member))

    def _unpacked(self, member: Member) -> Iterator[bytes]:
        if member.flags & _ENCRYPTED or member.method not in (_STORED, _DEFLATED):
            raise FormatError("a member of the ZIP archive is encrypted or packed in a way that is not supported")
        packed = self.packed(member)
        if member.method == _DEFLATED:
            yield from inflated(packed, RAW)
            return
        for start in range(0, len(packed), PIECE_BYTES):
            yield bytes(packed[start : start + PIECE_BYTES])

    def packed(self, member: Member) -> memoryview:
        """The content of a member as it is packed. Raises FormatError."""
        before = self._data[: self._directory.start]
        local = _LOCAL.unpack(part(before, member.offset, _LOCAL.size, "a member of the ZIP archive"))
        if local[0] != b"PK\3\4":
            raise FormatError("a member of the ZIP archive has no header")
        start = member.offset + _LOCAL.size + local[9] + local[10]
        return part(before, start, member.packed_size, "a member of the ZIP archive")


class ZipArchive(ZipReader):
    """The members of an archive by name. Directories are left out; of equal names the last counts."""

    def __init__(self, data: Data) -> None:
        """FormatError when there is no readable directory, or it lists more than 524,288 entries."""
        super().__init__(data, MAX_MEMBERS)
        self.members = {member.name: member for member in self if not member.name.endswith("/")}


def _find_directory(data: memoryview, most: int) -> _Directory:
    from_end = max(len(data) - _END.size - _LONGEST_COMMENT, 0)
    found = bytes(data[from_end:]).rfind(b"PK\5\6")
    if found < 0:
        raise FormatError("the ZIP archive has no directory")
    at = from_end + found
    end = _END.unpack(part(data, at, _END.size, "the directory of the ZIP archive"))
    count, size, offset = end[4:7]
    wide = _find_directory64(data, at)
    if wide:
        at, count, size, offset = wide
    start = at - size
    if count > most:
        raise FormatError("the ZIP archive lists too many files")
    if start < 0 or start < offset or size > count * (_ENTRY.size + 3 * (1 << 16)):
        raise FormatError("the directory of the ZIP archive is not valid")
    return _Directory(start, size, start - offset)


def _find_directory64(data: memoryview, at: int) -> tuple[int, int, int, int] | None:
    """Position, entry count, size and offset of the directory's end of a ZIP64 archive."""
    begin = at - _LOCATOR64.size - _END64.size
    if begin < 0 or bytes(data[at - _LOCATOR64.size :][:4]) != b"PK\6\7":
        return None
    end = _END64.unpack_from(data, begin)
    if end[0] != b"PK\6\6":
        raise FormatError("the directory of the ZIP archive is not valid")
    return begin, end[7], end[8], end[9]


def _members(data: memoryview, directory: _Directory, most: int) -> Iterator[Member]:
    cursor = Cursor(part(data, directory.start, directory.size, "the ZIP archive"), "the directory of the ZIP archive")
    count = 0
    while cursor.left:
        count += 1
        if count > most:
            raise FormatError("the ZIP archive lists too many files")
        fields = _ENTRY.unpack(cursor.take(_ENTRY.size))
        name, extra = bytes(cursor.take(fields[10])), cursor.take(fields[11])
        cursor.take(fields[12])
        if fields[0] != b"PK\1\2":
            raise FormatError("the directory of the ZIP archive is not valid")
        yield _member(fields, name, extra, directory.shift)


def _member(fields: tuple[int, ...], name: bytes, extra: memoryview, shift: int) -> Member:
    size, packed_size, offset = _wide_fields(extra, [fields[9], fields[8], fields[16]])
    return Member(
        name=name.decode("utf-8" if fields[3] & _UTF8 else "cp437", errors="replace"),
        flags=fields[3],
        method=fields[4],
        crc=fields[7],
        packed_size=packed_size,
        size=size,
        offset=offset + shift,
        attributes=fields[15],
    )


def _wide_fields(extra: memoryview, fields: list[int]) -> list[int]:
    """The three fields, those of 0xFFFFFFFF taken from the ZIP64 extra field when there is one."""
    if _IN_EXTRA not in fields:
        return fields
    cursor = Cursor(extra, "an extra field of the ZIP archive")
    while cursor.left >= 4:
        kind, size = cursor.u16(), cursor.u16()
        content = Cursor(cursor.take(size), "an extra field of the ZIP archive")
        if kind == _EXTRA64:
            return [content.u64() if field == _IN_EXTRA else field for field in fields]
    return fields
