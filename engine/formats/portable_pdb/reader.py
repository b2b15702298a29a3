"""What symbolication asks a Portable PDB: its id, lines, embedded sources and source links."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from engine.formats.bytewise import Cursor, Data, FormatError, viewed
from engine.formats.packed.inflate import RAW, inflate
from engine.formats.portable_pdb.metadata import Heaps, compressed, read_streams
from engine.formats.portable_pdb.sequence_points import sequence_points
from engine.formats.portable_pdb.tables import (
    CUSTOM_DEBUG_INFORMATION,
    CUSTOM_PARENTS,
    DOCUMENT,
    METHOD_DEBUG_INFORMATION,
    MODULE,
    NO_ROWS,
    TAG_BITS,
    Table,
    read_pdb_header,
    read_tables,
)
from engine.formats.source_links import SourceLinks
from engine.modules import DebugId

EMBEDDED_SOURCE = UUID("0e8a571b-6926-466e-b4ad-8ab04611f5fe")
SOURCE_LINK = UUID("cc110556-a091-4d38-9fec-25ab9a351a6a")
LANGUAGES = {
    UUID("3f5162f8-07c6-11d3-9053-00c04fa302a1"): "csharp",
    UUID("3a12d0b8-c26c-11d0-b442-00a0244a1dd2"): "visualbasic",
    UUID("ab4f38c9-b6e6-43ba-be3b-58080b2ccce3"): "fsharp",
}
MAX_SOURCE_BYTES = 32 << 20
# Parts of names are shared, so a short blob could name a path of any length: bytes, and 16 more for each part.
PART_COST = 16
MAX_NAME_COST = 32 << 10
MAX_NAMES_COST = 32 << 20


@dataclass(frozen=True, slots=True)
class SourcePoint:
    """Where code came from: the document's path as the compiler wrote it, and a line of it.

    `language` is csharp, visualbasic, fsharp, or None for any other.
    """

    document: str
    line: int
    language: str | None


class PortablePdb:
    """One file, read in place: `data` has to stay as it is while this lives."""

    def __init__(self, data: Data) -> None:
        """FormatError when the header, the table directory or the extent of a table is broken."""
        streams = read_streams(viewed(data))
        if "#Pdb" not in streams or "#~" not in streams:
            raise FormatError("the metadata is not that of a Portable PDB")
        header = read_pdb_header(streams["#Pdb"])
        self._heaps = Heaps(streams)
        self._tables = read_tables(streams["#~"], header.referenced)
        self.debug_id = _debug_id(header.id)

    def lookup(self, method_row: int, il_offset: int) -> SourcePoint | None:
        """The line of a method (1-based row of MethodDef) at an IL offset in bytes.

        It is that of the last visible sequence point at or before the offset; None when there is none. Raises
        FormatError when the method's points or its document are broken.
        """
        method = self._table(METHOD_DEBUG_INFORMATION).row(method_row)
        if method is None or method[1] == 0:
            return None
        best = None
        for point in sequence_points(self._heaps.blob(method[1]), method[0]):
            if point.il_offset > il_offset:
                break
            best = point
        return self._source_point(best.document, best.line) if best else None

    @cached_property
    def has_sources(self) -> bool:
        """Whether the file holds sources or source links."""
        return bool(self._custom(EMBEDDED_SOURCE) or self._custom(SOURCE_LINK))

    def embedded_source(self, path: str) -> bytes | None:
        """The text of a document in the file, as it was when compiled; None when it is not in there.

        `path` has to be the document's, exactly. Raises FormatError when the text is broken or exceeds 32 MiB.
        """
        offset = self._sources.get(path)
        return _source_text(self._heaps.blob(offset)) if offset is not None else None

    @cached_property
    def source_links(self) -> SourceLinks | None:
        """Where documents lie on the web, when the file tells. Raises FormatError."""
        for parent, row, value in self._custom(SOURCE_LINK):
            if parent == MODULE and row == 1:
                return SourceLinks.parse(self._heaps.blob(value))
        return None

    @property
    def has_links(self) -> bool:
        """Whether it tells a URL for some document. Raises FormatError."""
        return bool(self.source_links)

    @cached_property
    def _sources(self) -> dict[str, int]:
        """Blob offsets of embedded sources by the path of their document."""
        values = {row: value for parent, row, value in self._custom(EMBEDDED_SOURCE) if parent == DOCUMENT}
        found: dict[str, int] = {}
        left = MAX_NAMES_COST
        for row, value in values.items():
            document = self._table(DOCUMENT).row(row)
            if document:
                name, cost = self._name(document[0])
                found.setdefault(name, value)
                left -= cost
            if left < 0:
                raise FormatError("the names of the documents are too long")
        return found

    def _custom(self, kind: UUID) -> list[tuple[int, int, int]]:
        """Table and row of the parent, and value, of the custom debug information of one kind."""
        wanted = self._heaps.guid_index(kind)
        found = []
        for parent, guid, value in self._table(CUSTOM_DEBUG_INFORMATION).rows():
            tag, row = parent & ((1 << TAG_BITS) - 1), parent >> TAG_BITS
            if guid == wanted != 0 and tag < len(CUSTOM_PARENTS):
                found.append((CUSTOM_PARENTS[tag], row, value))
        return found

    def _source_point(self, row: int, line: int) -> SourcePoint:
        document = self._table(DOCUMENT).row(row)
        if document is None:
            raise FormatError("a sequence point names a document that does not exist")
        language = self._heaps.guid(document[3])
        return SourcePoint(self._name(document[0])[0], line, LANGUAGES.get(language) if language else None)

    def _name(self, offset: int) -> tuple[str, int]:
        """The path of a document, and what it cost to read.

        Its parts lie in blobs of their own, joined by a separator ("Document Name Blob").
        """
        cursor = Cursor(self._heaps.blob(offset), "a document's name")
        separator = bytes(cursor.take(1)).strip(b"\0")
        parts: list[bytes] = []
        cost = 0
        while cursor.left:
            index = compressed(cursor)
            parts.append(bytes(self._heaps.blob(index)) if index else b"")
            cost += len(parts[-1]) + PART_COST
            if cost > MAX_NAME_COST:
                raise FormatError("a document's name is too long")
        return separator.join(parts).decode(errors="replace"), cost

    def _table(self, number: int) -> Table:
        return self._tables.get(number, NO_ROWS)


def _debug_id(identity: bytes) -> DebugId:
    """The first 16 bytes are a GUID, the other 4 a stamp, which stands where other debug ids have the age."""
    return DebugId(UUID(bytes_le=identity[:16]), int.from_bytes(identity[16:20], "little"))


def _source_text(blob: memoryview) -> bytes:
    """The specification's "Embedded Source": a size in bytes and deflated text, or 0 and plain text."""
    cursor = Cursor(blob, "an embedded source")
    (size,) = struct.unpack("<i", cursor.take(4))
    if not 0 <= size <= MAX_SOURCE_BYTES or cursor.left > MAX_SOURCE_BYTES:
        raise FormatError("an embedded source is too large")
    packed = cursor.take(cursor.left)
    return inflate(packed, RAW, size=size) if size else bytes(packed)
