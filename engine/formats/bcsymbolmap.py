"""BCSymbolMap: the names that Apple's bitcode compilation hid.

A text file: `BCSymbolMap Version: 2.0`, then one name on each line. Symbols and parts of paths in the hidden debug
file read `__hidden#N_`; N counts the lines after the first from 0.
"""

from __future__ import annotations

import re

from engine.formats.bytewise import Data, FormatError, viewed

HEADER = b"BCSymbolMap Version: 2.0"
MAX_BYTES = 256 << 20
# A line number of more digits than this is in no file that we read.
_HIDDEN = re.compile(r"\A(_?)_hidden#([0-9]{1,9})_\Z")
_WINDOWED = 1 << 12


class BcSymbolMap:
    """The names of one map, by number."""

    def __init__(self, data: Data) -> None:
        """FormatError when the header is not that of version 2.0."""
        text = bytes(viewed(data)[: MAX_BYTES + 1])
        header, _, names = text.partition(b"\n")
        if header.rstrip(b"\r") != HEADER:
            raise FormatError("not a BCSymbolMap of version 2.0")
        if len(text) > MAX_BYTES:
            raise FormatError("the BCSymbolMap is too large")
        self._names = names
        self._starts = _line_starts(names)

    def resolve(self, name: str) -> str:
        """The name behind `__hidden#N_`; any other text, and a number that the map lacks, as it is.

        Where the underscore of a Mach-O symbol was already removed (`_hidden#N_`), it is removed from the name too.
        """
        found = _HIDDEN.match(name)
        hidden = self._line(int(found[2])) if found else None
        if not found or hidden is None:
            return name
        return hidden if found[1] else hidden.removeprefix("_")

    def resolve_path(self, path: str) -> str:
        """`path` with each hidden part resolved. A part that stands for an absolute path drops all before it."""
        parts: list[str] = []
        for part in path.split("/"):
            resolved = self.resolve(part)
            if resolved != part and resolved.startswith("/"):
                parts.clear()
            parts.append(resolved)
        joined = "/".join(parts)
        return _without_dots(joined) if joined != path else path

    def _line(self, number: int) -> str | None:
        group, rest = divmod(number, _WINDOWED)
        if group >= len(self._starts):
            return None
        start = self._starts[group]
        for _ in range(rest):
            start = self._names.find(b"\n", start) + 1
            if not start:
                return None
        end = self._names.find(b"\n", start)
        line = self._names[start : end if end >= 0 else None].removesuffix(b"\r")
        return line.decode(errors="replace") if start < len(self._names) else None


def _line_starts(names: bytes) -> list[int]:
    """Where every 4096th line begins: enough to find any, without a number kept for each."""
    starts, at, count = [0], 0, 0
    while (at := names.find(b"\n", at) + 1) > 0:
        count += 1
        if count % _WINDOWED == 0:
            starts.append(at)
    return starts


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept and kept[-1] not in ("", ".."):
            kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept)
