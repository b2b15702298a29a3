"""Sequence points: which line of which document an offset in IL code belongs to.

The format is the specification's "Sequence Points Blob".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.formats.bytewise import Cursor, FormatError
from engine.formats.portable_pdb.metadata import compressed, compressed_signed

_MAX_LINE = 0xFFFFFFFF
# A method of two hundred thousand statements takes as much.
MAX_BLOB_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SequencePoint:
    """The visible code that begins at `il_offset` (bytes), its document's row number and first line (1-based)."""

    il_offset: int
    document: int
    line: int


def sequence_points(blob: memoryview, document: int) -> Iterator[SequencePoint]:
    """The visible points of a method in ascending order; hidden ones are left out.

    `document` is the row that the method's own row names, 0 when the blob names it. Raises FormatError.
    """
    if len(blob) > MAX_BLOB_BYTES:
        raise FormatError("a method has too many sequence points")
    cursor = Cursor(blob, "the sequence points")
    compressed(cursor)
    document = document or compressed(cursor)
    offset, line, at_start = 0, -1, True
    while cursor.left:
        step = compressed(cursor)
        if step == 0 and not at_start:
            document = compressed(cursor)
            continue
        offset, at_start = offset + step, False
        if _hidden(cursor):
            continue
        line = _next_line(cursor, line)
        yield SequencePoint(offset, document, line)


def _hidden(cursor: Cursor) -> bool:
    """Passes over the point's extent: one of no lines and no columns is hidden."""
    lines = compressed(cursor)
    columns = compressed_signed(cursor) if lines else compressed(cursor)
    return lines == 0 and columns == 0


def _next_line(cursor: Cursor, before: int) -> int:
    """Passes over line and column: both are differences to the visible point before, if there is one."""
    if before < 0:
        line = compressed(cursor)
        compressed(cursor)
        return line
    line = before + compressed_signed(cursor)
    compressed_signed(cursor)
    if not 0 <= line <= _MAX_LINE:
        raise FormatError("a sequence point has a line that is not valid")
    return line
