"""Mapping files of ProGuard and R8, read in place: where classes begin at first, the rest when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from engine.formats.bytewise import Data, FormatError, viewed
from engine.jvm.members import is_member, read_class
from engine.jvm.model import ClassMapping
from engine.native.memory import TwoGenerations

# A class line stands at the margin: `original -> obfuscated:`.
_CLASS = re.compile(rb"^([^\s#]\S*) -> (\S+):[ \t]*\r?$", re.MULTILINE)
_CHECKED_RECORDS = 50
_LONGEST_NAME = 4096
MOST_CLASSES = 2_000_000
# What one class may take up: a file is searched for its classes, but a class is read as a whole.
MOST_CLASS_BYTES = 64 << 20
_KEPT_BYTES = 8 << 20
_BYTES_PER_BYTE = 12


class Mapping:
    """One mapping file; `data` has to stay as it is while this lives. Safe to use from several threads."""

    def __init__(self, data: Data) -> None:
        """FormatError when the file has more classes than we read."""
        self._data = viewed(data)
        self._places: dict[str, tuple[str, int, int]] = {}
        self._obfuscated: dict[str, str] = {}
        self._read: TwoGenerations[str, ClassMapping] = TwoGenerations(_KEPT_BYTES)
        before: tuple[str, str, int] | None = None
        for count, found in enumerate(_CLASS.finditer(self._data)):
            if count >= MOST_CLASSES:
                raise FormatError("the mapping has too many classes")
            self._place(before, found.start())
            before = (_text(found[1]), _text(found[2]), found.end())
        self._place(before, len(self._data))

    def _place(self, found: tuple[str, str, int] | None, end: int) -> None:
        if found is not None and len(found[0]) <= _LONGEST_NAME and len(found[1]) <= _LONGEST_NAME:
            original, obfuscated, start = found
            self._places.setdefault(obfuscated, (original, start, end))
            self._obfuscated.setdefault(original, obfuscated)

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory, besides the file itself."""
        return 400 * len(self._places) + _KEPT_BYTES

    @property
    def classes(self) -> list[str]:
        """All classes, by the names they run with."""
        return list(self._places)

    def original_class(self, obfuscated: str) -> str | None:
        """The name that the class was written with; None when the file does not know it."""
        found = self._places.get(obfuscated)
        return found[0] if found else None

    def find(self, obfuscated: str) -> ClassMapping | None:
        """A class by the name it runs with; None when the file does not know it."""
        known = self._read.get(obfuscated)
        if known is not None or obfuscated not in self._places:
            return known
        original, start, end = self._places[obfuscated]
        made = read_class(original, self._lines(start, end))
        self._read.put(obfuscated, made, _BYTES_PER_BYTE * min(end - start, MOST_CLASS_BYTES))
        return made

    def find_original(self, original: str) -> ClassMapping | None:
        """A class by the name it was written with; None when the file does not know it."""
        obfuscated = self._obfuscated.get(original)
        return self.find(obfuscated) if obfuscated is not None else None

    def _lines(self, start: int, end: int) -> Iterator[str]:
        return iter(_text(self._data[start : min(end, start + MOST_CLASS_BYTES)]).splitlines())


def check_mapping(data: memoryview) -> None:
    """FormatError when this is no mapping: a class line and a member below it must come within the first 50 records."""
    in_class = False
    for line in islice(_records(data), _CHECKED_RECORDS):
        if _CLASS.match(line):
            in_class = True
        elif in_class and is_member(_text(line).strip()):
            return
    raise FormatError("no class with a member stands at the beginning of the mapping")


def _records(data: memoryview) -> Iterator[bytes]:
    """The lines that are not empty, as far as they can lie within the first records."""
    for line in bytes(data[: _CHECKED_RECORDS * 4096]).splitlines():
        if line.strip():
            yield line


def _text(data: bytes | memoryview) -> str:
    return bytes(data).decode(errors="replace")
