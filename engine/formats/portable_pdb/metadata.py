"""The container: the streams of ECMA-335 metadata (II.24.2) and the heaps in them."""

from __future__ import annotations

from uuid import UUID

from engine.formats.bytewise import Cursor, FormatError, part

MAGIC = b"BSJB"
_MAX_VERSION_BYTES = 256
_MAX_STREAMS = 64
_NAME_BYTES = 32


def read_streams(data: memoryview) -> dict[str, memoryview]:
    """The streams of a metadata file by name (`#~`, `#Blob`, …); FormatError when its header is broken."""
    cursor = Cursor(data, "the metadata header")
    if cursor.take(4) != MAGIC:
        raise FormatError("not a Portable PDB")
    cursor.take(8)
    version_bytes = cursor.u32()
    if version_bytes > _MAX_VERSION_BYTES:
        raise FormatError("the metadata header is not valid")
    cursor.take(-(-version_bytes // 4) * 4)
    cursor.take(2)
    count = cursor.u16()
    if count > _MAX_STREAMS:
        raise FormatError("the metadata lists too many streams")
    return dict(_read_stream(data, cursor) for _ in range(count))


def _read_stream(data: memoryview, cursor: Cursor) -> tuple[str, memoryview]:
    offset, size = cursor.u32(), cursor.u32()
    start = cursor.position
    name = cursor.terminated(_NAME_BYTES)
    cursor.take(-(cursor.position - start) % 4)
    return name.decode("ascii", errors="replace"), part(data, offset, size, "a metadata stream")


def compressed(cursor: Cursor) -> int:
    """An unsigned number of 1, 2 or 4 bytes (II.23.2)."""
    return _compressed(cursor)[0]


def compressed_signed(cursor: Cursor) -> int:
    """A signed number of 1, 2 or 4 bytes, rotated left by one bit (II.23.2)."""
    value, bits = _compressed(cursor)
    return (value >> 1) - ((value & 1) << (bits - 1))


def _compressed(cursor: Cursor) -> tuple[int, int]:
    """The raw number and how many bits it has."""
    first = cursor.u8()
    if first < 0x80:
        return first, 7
    if first < 0xC0:
        return (first & 0x3F) << 8 | cursor.u8(), 14
    if first < 0xE0:
        return (first & 0x1F) << 24 | int.from_bytes(cursor.take(3), "big"), 29
    raise FormatError("a compressed number is not valid")


class Heaps:
    """The heaps that table columns point into."""

    def __init__(self, streams: dict[str, memoryview]) -> None:
        nothing = memoryview(b"")
        self._guids = streams.get("#GUID", nothing)
        self._blobs = streams.get("#Blob", nothing)

    def guid(self, index: int) -> UUID | None:
        """The GUID of a 1-based index; None for 0."""
        if index == 0:
            return None
        return UUID(bytes_le=bytes(part(self._guids, 16 * (index - 1), 16, "the GUID heap")))

    def guid_index(self, guid: UUID) -> int:
        """The 1-based index of a GUID; 0 when the heap does not hold it."""
        heap, wanted = bytes(self._guids), guid.bytes_le
        at = heap.find(wanted)
        while at % 16 and at >= 0:
            at = heap.find(wanted, at + 1)
        return at // 16 + 1 if at >= 0 else 0

    def blob(self, offset: int) -> memoryview:
        """The bytes of the blob at `offset`, without its length."""
        cursor = Cursor(self._blobs, "the blob heap", offset)
        return cursor.take(compressed(cursor))
