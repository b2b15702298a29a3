"""Making the index of unwind rules."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import accumulate, chain, repeat
from pathlib import Path
from typing import BinaryIO

from engine.formats.bytewise import mapped
from engine.formats.cfi.layout import WIDTHS, Header, aligned
from engine.formats.cfi.ranges import Ranges
from engine.formats.cfi.records import INIT, INIT_FIELDS, INIT_START, WIN, WIN_START

# Hundreds of times what the largest programs have; the memory needed is bounded by it.
MAX_RECORDS = 1 << 23
# Larger pieces come from fresh memory each, whose first use costs more than reading them.
CHUNK_BYTES = 1 << 17
FRAME_DATA, FPO = 4, 0
_NARROW = 1 << 32


def build_index(text: bytes | memoryview | Path, target: BinaryIO) -> int:
    """Write the index of Breakpad STACK records (a MODULE record may come first) and the text itself to `target`.

    Gives the number of records that could not be read and are skipped; no text is refused. `target` is open for
    writing at its start.
    """
    if isinstance(text, Path):
        with open(text, "rb") as file:
            return _build(mapped(file), target)
    return _build(memoryview(text), target)


def _build(text: memoryview, target: BinaryIO) -> int:
    found = _Found()
    for place, lines in _pieces(text):
        found.read(place, lines)
    tables = [ranges.arranged() for ranges in (found.cfi, found.win[FRAME_DATA], found.win[FPO])]
    width = 4 if max(ranges.largest for ranges in tables) < _NARROW else 8
    header = Header.of(width, tuple(len(ranges) for ranges in tables), found.skipped, len(text))
    target.write(_padded(header.packed()))
    for numbers in chain.from_iterable((table.starts, table.sizes, table.places) for table in tables):
        target.write(_padded(_packed(numbers, width)))
    for start in range(0, len(text), CHUNK_BYTES):
        target.write(text[start : start + CHUNK_BYTES])
    return header.skipped


def _pieces(text: memoryview) -> Iterator[tuple[int, bytes]]:
    """Whole lines, each with the line break before it (the first one is given one), and where in the text they are."""
    place, lines = -1, b"\n"
    while place + len(lines) < len(text):
        start = place + len(lines)
        lines += text[start : start + CHUNK_BYTES]
        end = lines.rfind(b"\n", 1) if start + CHUNK_BYTES < len(text) else len(lines)
        # A line longer than a piece is cut: what is read of it stands at its beginning.
        end = end if end > 0 else len(lines)
        yield place, lines[:end]
        place, lines = place + end, lines[end:]


class _Found:
    """The ranges of the records read so far, and how many records could not be read."""

    def __init__(self) -> None:
        self.cfi = Ranges()
        self.win = {FRAME_DATA: Ranges(), FPO: Ranges()}
        self.skipped = 0

    def read(self, place: int, lines: bytes) -> None:
        pieces = lines.split(INIT)
        fields = INIT_FIELDS.findall(lines)
        if len(fields) != len(pieces) - 1 or len(self.cfi) + len(fields) > MAX_RECORDS:
            self._read_one_by_one(place, lines)
        elif fields:
            places = accumulate((len(INIT) + len(piece) for piece in pieces[1:-1]), initial=place + len(pieces[0]) + 1)
            starts, sizes = zip(*fields, strict=True)
            self.cfi.extend(map(int, starts, repeat(16)), map(int, sizes, repeat(16)), places)
        if lines.find(WIN) >= 0:
            self._read_win(place, lines)

    def _read_one_by_one(self, place: int, lines: bytes) -> None:
        for found in INIT_START.finditer(lines):
            start, size = found.groups()
            if start is None or len(self.cfi) >= MAX_RECORDS:
                self.skipped += 1
            else:
                self.cfi.add(int(start, 16), int(size, 16), place + found.start() + 1)

    def _read_win(self, place: int, lines: bytes) -> None:
        for found in WIN_START.finditer(lines):
            kind, start, size = found.groups()
            table = self.win.get(int(kind, 16)) if kind else None
            if table is None or len(table) >= MAX_RECORDS:
                self.skipped += 1
            else:
                table.add(int(start, 16), int(size, 16), place + found.start() + 1)


def _packed(numbers: array[int], width: int) -> bytes:
    made = array(WIDTHS[width], numbers)
    if made.itemsize != width:
        raise TypeError("this machine's arrays have other numbers")
    return made.tobytes()


def _padded(content: bytes) -> bytes:
    return content.ljust(aligned(len(content)), b"\0")
