"""The header of a 7z archive: packed streams, how folders are unpacked from them, and the files in them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from debugfiles.archives.zip import MOST_ENTRIES
from engine.formats.bytewise import Cursor, FormatError

_MAX_FOLDERS: Final = 1_000_000
_MAX_CODERS: Final = 8
_WHAT: Final = "the header of the 7z archive"
_NAME_END: Final = b"\0\0"


class Mark(IntEnum):
    """What follows in a header."""

    END = 0x00
    HEADER = 0x01
    ARCHIVE_PROPERTIES = 0x02
    ADDITIONAL_STREAMS = 0x03
    MAIN_STREAMS = 0x04
    FILES = 0x05
    PACK_INFO = 0x06
    UNPACK_INFO = 0x07
    SUBSTREAMS = 0x08
    SIZE = 0x09
    CRC = 0x0A
    FOLDER = 0x0B
    UNPACK_SIZE = 0x0C
    STREAM_COUNT = 0x0D
    EMPTY_STREAM = 0x0E
    EMPTY_FILE = 0x0F
    NAMES = 0x11
    ATTRIBUTES = 0x15
    ENCODED_HEADER = 0x17


@dataclass(frozen=True, slots=True)
class Coder:
    """One step of packing: its id and properties as they are stored."""

    id: bytes
    properties: bytes
    inputs: int
    outputs: int


@dataclass(slots=True)
class Folder:
    """What is packed as one. `coders` stand in the order in which they were applied; `pairs` tie inputs to outputs."""

    coders: tuple[Coder, ...]
    pairs: tuple[tuple[int, int], ...]
    packed: int
    sizes: tuple[int, ...] = ()
    crc: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the whole content: what comes out of the step that no other one takes from."""
        bound = {output for _, output in self.pairs}
        free = [size for index, size in enumerate(self.sizes) if index not in bound]
        if len(free) != 1:
            raise FormatError(f"{_WHAT} is not valid")
        return free[0]


@dataclass(slots=True)
class Streams:
    """Where the packed streams lie (from the end of the signature header), and what is in them."""

    position: int = 0
    packed_sizes: array[int] = field(default_factory=lambda: array("Q"))
    folders: list[Folder] = field(default_factory=list)
    counts: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    crcs: list[int | None] = field(default_factory=list)


@dataclass(slots=True)
class Files:
    """The files' names (UTF-16, each with a NUL behind it), which of them have no content, and their attributes."""

    count: int = 0
    names: memoryview = memoryview(b"")
    empty_stream: bytes = b""
    empty_file: bytes = b""
    attributes: memoryview = memoryview(b"")
    attributes_defined: bytes = b""


def read_streams(cursor: Cursor) -> Streams:
    """A streams info. Raises FormatError."""
    streams = Streams()
    while (mark := number(cursor)) != Mark.END:
        match mark:
            case Mark.PACK_INFO:
                _pack_info(cursor, streams)
            case Mark.UNPACK_INFO:
                _unpack_info(cursor, streams)
            case Mark.SUBSTREAMS:
                _substreams(cursor, streams)
            case _:
                raise FormatError(f"{_WHAT} is not valid")
    if not streams.counts:
        _one_stream_each(streams)
    return streams


def read_files(cursor: Cursor) -> Files:
    """A files info. Raises FormatError."""
    files = Files(_count(cursor, MOST_ENTRIES))
    while (mark := number(cursor)) != Mark.END:
        content = Cursor(cursor.take(number(cursor)), _WHAT)
        match mark:
            case Mark.EMPTY_STREAM:
                files.empty_stream = bits(content, files.count)
            case Mark.EMPTY_FILE:
                files.empty_file = bits(content, sum(files.empty_stream))
            case Mark.NAMES:
                files.names = _inline(content)
            case Mark.ATTRIBUTES:
                files.attributes_defined = _defined(content, files.count)
                files.attributes = _inline(content)
    return files


def names_of(files: Files) -> Iterator[str]:
    """The names one after another. Raises FormatError when there are too few."""
    at = 0
    for _ in range(files.count):
        end = _name_end(files.names, at)
        yield bytes(files.names[at:end]).decode("utf-16-le", "replace")
        at = end + 2


def number(cursor: Cursor) -> int:
    """A number of 1 to 9 bytes: the ones that begin the first byte say how many bytes follow it."""
    first, value = cursor.u8(), 0
    for index in range(8):
        mask = 0x80 >> index
        if not first & mask:
            return value | (first & (mask - 1)) << (8 * index)
        value |= cursor.u8() << (8 * index)
    return value


def bits(cursor: Cursor, count: int) -> bytes:
    """`count` flags, one byte (0 or 1) for each."""
    packed = cursor.take((count + 7) // 8)
    return bytes((packed[index >> 3] >> (7 - (index & 7))) & 1 for index in range(count))


def _name_end(raw: memoryview, start: int) -> int:
    at, window = start, 512
    while at < len(raw):
        ahead = bytes(raw[at : at + window])
        found = ahead.find(_NAME_END)
        while found >= 0 and found % 2:
            found = ahead.find(_NAME_END, found + 1)
        if found >= 0:
            return at + found
        if at - start > 1 << 16:
            break
        at += window
    raise FormatError(f"{_WHAT} holds a name without an end")


def _count(cursor: Cursor, most: int) -> int:
    count = number(cursor)
    if count > most:
        raise FormatError(f"the archive has more than {most} entries")
    return count


def _inline(cursor: Cursor) -> memoryview:
    if cursor.u8() != 0:
        raise FormatError(f"{_WHAT} lies in another stream")
    return cursor.take(cursor.left)


def _defined(cursor: Cursor, count: int) -> bytes:
    return b"\1" * count if cursor.u8() else bits(cursor, count)


def _digests(cursor: Cursor, count: int) -> list[int | None]:
    return [cursor.u32() if defined else None for defined in _defined(cursor, count)]


def _pack_info(cursor: Cursor, streams: Streams) -> None:
    streams.position, count = number(cursor), _count(cursor, _MAX_FOLDERS)
    while (mark := number(cursor)) != Mark.END:
        if mark == Mark.SIZE:
            streams.packed_sizes.extend(number(cursor) for _ in range(count))
        elif mark == Mark.CRC:
            _digests(cursor, count)
        else:
            raise FormatError(f"{_WHAT} is not valid")
    if len(streams.packed_sizes) != count:
        raise FormatError(f"{_WHAT} is not valid")


def _unpack_info(cursor: Cursor, streams: Streams) -> None:
    if number(cursor) != Mark.FOLDER:
        raise FormatError(f"{_WHAT} is not valid")
    count = _count(cursor, _MAX_FOLDERS)
    if cursor.u8() != 0:
        raise FormatError(f"{_WHAT} lies in another stream")
    streams.folders = [_folder(cursor) for _ in range(count)]
    while (mark := number(cursor)) != Mark.END:
        if mark == Mark.UNPACK_SIZE:
            for folder in streams.folders:
                folder.sizes = tuple(number(cursor) for coder in folder.coders for _ in range(coder.outputs))
        elif mark == Mark.CRC:
            for folder, crc in zip(streams.folders, _digests(cursor, count), strict=True):
                folder.crc = crc
        else:
            raise FormatError(f"{_WHAT} is not valid")


def _folder(cursor: Cursor) -> Folder:
    coders = tuple(_coder(cursor) for _ in range(_count(cursor, _MAX_CODERS)))
    inputs, outputs = sum(coder.inputs for coder in coders), sum(coder.outputs for coder in coders)
    if not coders or not outputs:
        raise FormatError(f"{_WHAT} is not valid")
    pairs = tuple((number(cursor), number(cursor)) for _ in range(outputs - 1))
    packed = inputs - len(pairs)
    if packed < 1:
        raise FormatError(f"{_WHAT} is not valid")
    if packed > 1:
        for _ in range(packed):
            number(cursor)
    return Folder(coders, pairs, packed)


def _coder(cursor: Cursor) -> Coder:
    flags = cursor.u8()
    if flags & 0xC0:
        raise FormatError(f"{_WHAT} is not valid")
    name = bytes(cursor.take(flags & 0xF))
    inputs, outputs = (_count(cursor, 8), _count(cursor, 8)) if flags & 0x10 else (1, 1)
    properties = bytes(cursor.take(_count(cursor, 1 << 10))) if flags & 0x20 else b""
    return Coder(name, properties, inputs, outputs)


def _substreams(cursor: Cursor, streams: Streams) -> None:
    mark = number(cursor)
    if mark == Mark.STREAM_COUNT:
        streams.counts = array("Q", (_count(cursor, MOST_ENTRIES) for _ in streams.folders))
        mark = number(cursor)
    else:
        streams.counts = array("Q", (1 for _ in streams.folders))
    if sum(streams.counts) > MOST_ENTRIES:
        raise FormatError(f"the archive has more than {MOST_ENTRIES} entries")
    _stream_sizes(cursor if mark == Mark.SIZE else None, streams)
    if mark == Mark.SIZE:
        mark = number(cursor)
    _stream_digests(cursor if mark == Mark.CRC else None, streams)
    while mark != Mark.END:
        mark = number(cursor)


def _stream_sizes(cursor: Cursor | None, streams: Streams) -> None:
    """All sizes of a folder but the last are stored; the last is what is left."""
    for folder, count in zip(streams.folders, streams.counts, strict=True):
        left = folder.size if count else 0
        for _ in range(count - 1):
            if cursor is None:
                raise FormatError(f"{_WHAT} is not valid")
            size = number(cursor)
            left -= size
            streams.sizes.append(size)
        if left < 0:
            raise FormatError("the sizes in the 7z archive do not fit together")
        if count:
            streams.sizes.append(left)


def _stream_digests(cursor: Cursor | None, streams: Streams) -> None:
    """What is known of a folder that holds one stream is not stored again."""
    known = [folder.crc if count == 1 else None for folder, count in zip(streams.folders, streams.counts, strict=True)]
    missing = sum(count for count, crc in zip(streams.counts, known, strict=True) if crc is None)
    stored = iter(_digests(cursor, missing) if cursor is not None else [None] * missing)
    for count, crc in zip(streams.counts, known, strict=True):
        streams.crcs += [crc] if crc is not None else [next(stored) for _ in range(count)]


def _one_stream_each(streams: Streams) -> None:
    streams.counts = array("Q", (1 for _ in streams.folders))
    streams.sizes = array("Q", (folder.size for folder in streams.folders))
    streams.crcs = [folder.crc for folder in streams.folders]
