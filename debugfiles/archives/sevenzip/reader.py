"""The entries of a 7z archive, folder by folder: each is unpacked once, as a stream."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Final

from core.text import storable
from debugfiles.archives.entries import Entry, EntryKind, Metered, kind_of_mode
from debugfiles.archives.sevenzip.coders import Unreadable, unpacked
from debugfiles.archives.sevenzip.header import Files, Mark, Streams, names_of, number, read_files, read_streams
from debugfiles.archives.streams import ByteStream, Section
from engine.formats.bytewise import Cursor, FormatError, part

MAGIC: Final = b"7z\xbc\xaf\x27\x1c"
_SIGNATURE_HEADER: Final = 32
_MAX_HEADER: Final = 128 << 20
_MOST_LAYERS: Final = 4
_UNIX: Final = 0x8000
_DIRECTORY, _REPARSE_POINT = 0x10, 0x400
_WHAT: Final = "the 7z archive"


def read_7z(data: memoryview, metered: Metered) -> Iterator[Entry]:
    """The entries. Raises FormatError where the archive is broken; what is encrypted is a problem of its entry."""
    header = _header(data, metered)
    if len(header) == 0:
        return
    streams, files = _contents(header)
    contents = _contents_of(data, streams, metered)
    for name, attributes, empty in zip(names_of(files), _attributes(files), _empty(files), strict=False):
        kind = _kind(attributes)
        if empty is not None:
            directory = kind is EntryKind.FILE and empty
            yield Entry(storable(name), EntryKind.DIRECTORY if directory else kind, 0)
            continue
        content = next(contents, None)
        if content is None:
            raise FormatError("the 7z archive lists more files than it holds")
        yield Entry(storable(name), kind, content.size, content, content.problem)
        content.finish()


class _Content:
    """The content of one file: a part of its folder's stream, or what keeps it from being read."""

    def __init__(self, stream: ByteStream | None, size: int, crc: int | None, problem: str) -> None:
        self.size = size
        self.problem = problem
        self._section = Section(stream, size) if stream is not None else None
        self._crc = crc

    def __iter__(self) -> Iterator[bytes]:
        """The pieces; FormatError at the end when they do not match the checksum."""
        crc = 0
        for piece in self._section or ():
            crc = zlib.crc32(piece, crc)
            yield piece
        if self._crc is not None and crc != self._crc:
            raise FormatError("it does not match its checksum")

    def finish(self) -> None:
        """Pass over what nobody read."""
        if self._section is not None:
            self._section.skip()


def _contents_of(data: memoryview, streams: Streams, metered: Metered) -> Iterator[_Content]:
    position, packed, at = _SIGNATURE_HEADER + streams.position, iter(streams.packed_sizes), 0
    for folder, count in zip(streams.folders, streams.counts, strict=True):
        sizes = [next(packed, 0) for _ in range(folder.packed)]
        view = part(data, position, sum(sizes), _WHAT)
        position += sum(sizes)
        stream, problem = None, ""
        try:
            stream = ByteStream(metered(unpacked(folder, view)))
        except Unreadable as error:
            problem = error.details or ""
        for index in range(at, at + count):
            yield _Content(stream, streams.sizes[index], streams.crcs[index], problem)
        at += count


def _header(data: memoryview, metered: Metered) -> memoryview:
    """The header's bytes, unpacked if need be; none for an archive without files."""
    start = Cursor(part(data, 0, _SIGNATURE_HEADER, _WHAT), _WHAT, 12)
    offset, size, crc = start.u64(), start.u64(), start.u32()
    if size > _MAX_HEADER:
        raise FormatError("the header of the 7z archive is too large")
    header = part(data, _SIGNATURE_HEADER + offset, size, _WHAT)
    if zlib.crc32(header) != crc:
        raise FormatError("the header of the 7z archive does not match its checksum")
    for _ in range(_MOST_LAYERS):
        if len(header) == 0 or header[0] == Mark.HEADER:
            return header[1:]
        if header[0] != Mark.ENCODED_HEADER:
            break
        header = _unpacked_header(data, Cursor(header, _WHAT, 1), metered)
    raise FormatError("the header of the 7z archive is not valid")


def _unpacked_header(data: memoryview, cursor: Cursor, metered: Metered) -> memoryview:
    streams = read_streams(cursor)
    if len(streams.sizes) != 1 or streams.sizes[0] > _MAX_HEADER:
        raise FormatError("the header of the 7z archive is not valid")
    content = next(_contents_of(data, streams, metered))
    if content.problem:
        raise FormatError(f"the list of files in the 7z archive is {content.problem}")
    return memoryview(b"".join(content))


def _contents(header: memoryview) -> tuple[Streams, Files]:
    cursor = Cursor(header, _WHAT)
    streams, files = Streams(), Files()
    while (mark := number(cursor)) != Mark.END:
        match mark:
            case Mark.ARCHIVE_PROPERTIES:
                while number(cursor) != Mark.END:
                    cursor.take(number(cursor))
            case Mark.ADDITIONAL_STREAMS:
                read_streams(cursor)
            case Mark.MAIN_STREAMS:
                streams = read_streams(cursor)
            case Mark.FILES:
                files = read_files(cursor)
            case _:
                raise FormatError("the header of the 7z archive is not valid")
    return streams, files


def _empty(files: Files) -> Iterable[bool | None]:
    """For each file: None when it has content, True when it is a directory, False when it is an empty file."""
    if not files.empty_stream:
        return repeat(None, files.count)
    empty = iter(files.empty_file or bytes(sum(files.empty_stream)))
    return (not next(empty, 0) if flag else None for flag in files.empty_stream)


def _attributes(files: Files) -> Iterator[int]:
    cursor = Cursor(files.attributes, _WHAT)
    for defined in files.attributes_defined or bytes(files.count):
        yield cursor.u32() if defined else 0


def _kind(attributes: int) -> EntryKind:
    if attributes & _UNIX:
        return kind_of_mode(attributes >> 16)
    if attributes & _REPARSE_POINT:
        return EntryKind.LINK
    return EntryKind.DIRECTORY if attributes & _DIRECTORY else EntryKind.FILE
