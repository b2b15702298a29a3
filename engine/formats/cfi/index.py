"""Searching the index of unwind rules."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from engine.formats.bytewise import Data, mapped, viewed
from engine.formats.cfi.layout import TABLES, WIDTHS, Header, read_header
from engine.formats.cfi.records import WinRecord, read_cfi, read_module, read_win
from engine.modules import DebugId


class _Table:
    """Ranges that do not overlap, ascending, and where in the text their records are."""

    __slots__ = ("_places", "_sizes", "_starts")

    def __init__(self, starts: memoryview, sizes: memoryview, places: memoryview) -> None:
        self._starts, self._sizes, self._places = starts, sizes, places

    def __len__(self) -> int:
        return len(self._starts)

    def find(self, relative: int) -> int | None:
        """The place of the record that holds for an address."""
        at = bisect_right(self._starts, relative) - 1
        if at < 0 or relative - self._starts[at] >= self._sizes[at]:
            return None
        return int(self._places[at])


class CfiIndex:
    """The unwind rules of one module. Addresses are relative to the module; the file stays mapped as long as this.

    Safe to use from several threads. A file whose seal was not verified may give wrong rules, but raises nothing.
    """

    def __init__(self, data: Data) -> None:
        """FormatError when `data` is no index, or not all of one."""
        view = viewed(data)
        header = read_header(view)
        self._text = view[header.text : header.text + header.text_length]
        self._cfi, self._frame_data, self._fpo = _tables(view, header)
        self.skipped = header.skipped

    @classmethod
    def open(cls, source: Path | Data) -> CfiIndex:
        """Map the file, or take the bytes. Raises FormatError, and OSError for a file that cannot be opened."""
        if not isinstance(source, Path):
            return cls(source)
        with open(source, "rb") as file:
            return cls(mapped(file))

    @property
    def is_empty(self) -> bool:
        """Whether there is no STACK CFI range at all."""
        return not len(self._cfi)

    @property
    def has_rules(self) -> bool:
        """Whether there is any rule of any kind."""
        return bool(len(self._cfi) or len(self._frame_data) or len(self._fpo))

    @property
    def module(self) -> tuple[str, DebugId] | None:
        """Debug file and debug id, where the text says them."""
        found = read_module(self._text)
        debug_id = DebugId.parse(found[1]) if found else None
        return (found[0], debug_id) if found and debug_id else None

    def covers(self, relative: int) -> bool:
        """Whether a STACK CFI range holds the address."""
        return self._cfi.find(relative) is not None

    def cfi(self, relative: int) -> tuple[int, str] | None:
        """Start of the range that holds the address, and the rules that hold there: later ones come last and win."""
        place = self._cfi.find(relative)
        return None if place is None else read_cfi(self._text, place, relative)

    def win(self, relative: int) -> WinRecord | None:
        """The frame data for an address, or else what FPO says of it."""
        for table in (self._frame_data, self._fpo):
            place = table.find(relative)
            if place is not None:
                return read_win(self._text, place)
        return None


def _tables(view: memoryview, header: Header) -> list[_Table]:
    at, tables = header.tables_start, []
    for number in range(TABLES):
        length = header.lengths[number]
        arrays = []
        for _ in range(3):
            arrays.append(view[at : at + length * header.width].cast(WIDTHS[header.width]))
            at += header.array_bytes(length)
        tables.append(_Table(*arrays))
    return tables
