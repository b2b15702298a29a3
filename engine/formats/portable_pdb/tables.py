"""The tables of a Portable PDB: how wide their columns are, and rows of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from engine.formats.bytewise import Cursor, FormatError

MODULE, METHOD_DEF = 0x00, 0x06
DOCUMENT, METHOD_DEBUG_INFORMATION, LOCAL_SCOPE = 0x30, 0x31, 0x32
LOCAL_VARIABLE, LOCAL_CONSTANT, IMPORT_SCOPE = 0x33, 0x34, 0x35
STATE_MACHINE_METHOD, CUSTOM_DEBUG_INFORMATION = 0x36, 0x37

# The tables that a HasCustomDebugInformation index can point to, by their tag in its low 5 bits.
CUSTOM_PARENTS = (
    *(METHOD_DEF, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0A, MODULE, 0x0E, 0x17, 0x14, 0x11, 0x1A, 0x1B),
    *(0x20, 0x23, 0x26, 0x27, 0x28, 0x2A, 0x2C, 0x2B),
    *(DOCUMENT, LOCAL_SCOPE, LOCAL_VARIABLE, LOCAL_CONSTANT, IMPORT_SCOPE),
)
TAG_BITS = 5

_STRING, _GUID, _BLOB = "string", "guid", "blob"
_HEAP_FLAGS = {_STRING: 0x1, _GUID: 0x2, _BLOB: 0x4}
_EXTRA_DATA = 0x40
_CODED = "coded"
_FORMATS = {2: "H", 4: "I"}


@dataclass(frozen=True, slots=True)
class RowOf:
    """A column that holds the row number of a table."""

    table: int


# A number of bytes, a heap, or a table.
Column: TypeAlias = int | str | RowOf
_COLUMNS: dict[int, tuple[Column, ...]] = {
    DOCUMENT: (_BLOB, _GUID, _BLOB, _GUID),
    METHOD_DEBUG_INFORMATION: (RowOf(DOCUMENT), _BLOB),
    LOCAL_SCOPE: (RowOf(METHOD_DEF), RowOf(IMPORT_SCOPE), RowOf(LOCAL_VARIABLE), RowOf(LOCAL_CONSTANT), 4, 4),
    LOCAL_VARIABLE: (2, 2, _STRING),
    LOCAL_CONSTANT: (_STRING, _BLOB),
    IMPORT_SCOPE: (RowOf(IMPORT_SCOPE), _BLOB),
    STATE_MACHINE_METHOD: (RowOf(METHOD_DEF), RowOf(METHOD_DEF)),
    CUSTOM_DEBUG_INFORMATION: (_CODED, _GUID, _BLOB),
}


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one table, each of the columns that `layout` says."""

    data: memoryview
    layout: struct.Struct

    def row(self, number: int) -> tuple[int, ...] | None:
        """The columns of a 1-based row; None when there is no such row."""
        if not 1 <= number <= len(self.data) // self.layout.size:
            return None
        return self.layout.unpack_from(self.data, (number - 1) * self.layout.size)

    def rows(self) -> Iterator[tuple[int, ...]]:
        return self.layout.iter_unpack(self.data)


NO_ROWS = Table(memoryview(b""), struct.Struct("<I"))


@dataclass(frozen=True, slots=True)
class PdbHeader:
    """The `#Pdb` stream: the id of 20 bytes, and the rows of the assembly's tables, which widen our columns."""

    id: bytes
    referenced: dict[int, int]


def read_pdb_header(stream: memoryview) -> PdbHeader:
    cursor = Cursor(stream, "the #Pdb stream")
    identity = bytes(cursor.take(20))
    cursor.take(4)
    present = cursor.u64()
    return PdbHeader(identity, {table: cursor.u32() for table in _bits(present)})


def read_tables(stream: memoryview, referenced: dict[int, int]) -> dict[int, Table]:
    """The debug tables of the `#~` stream (II.24.2.6); FormatError when it holds others or is broken."""
    cursor = Cursor(stream, "the #~ stream")
    cursor.take(6)
    heap_flags = cursor.u8()
    cursor.take(1)
    present = _bits(cursor.u64())
    cursor.take(8)
    counts = {table: cursor.u32() for table in present}
    if heap_flags & _EXTRA_DATA:
        cursor.take(4)
    rows = {**referenced, **counts}
    return {table: _read_table(cursor, table, heap_flags, rows) for table in present}


def _read_table(cursor: Cursor, table: int, heap_flags: int, rows: dict[int, int]) -> Table:
    columns = _COLUMNS.get(table)
    if columns is None:
        raise FormatError("the metadata holds tables that no Portable PDB has")
    layout = struct.Struct("<" + "".join(_FORMATS[_width(column, heap_flags, rows)] for column in columns))
    return Table(cursor.take(rows[table] * layout.size), layout)


def _width(column: Column, heap_flags: int, rows: dict[int, int]) -> int:
    if isinstance(column, int):
        return column
    if isinstance(column, RowOf):
        return 2 if rows.get(column.table, 0) < 1 << 16 else 4
    if column == _CODED:
        longest = max(rows.get(table, 0) for table in CUSTOM_PARENTS)
        return 2 if longest < 1 << (16 - TAG_BITS) else 4
    return 4 if heap_flags & _HEAP_FLAGS[column] else 2


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(64) if mask >> bit & 1]
