"""Line mappings of Unity's IL2CPP: from the generated C++ to the C# that people wrote.

A JSON object `{C++ file: {C# file: {C++ line: C# line}}}`; its key `__debug-id__` is no file.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from engine.formats.bytewise import Data, FormatError, viewed

MAX_BYTES = 512 << 20
FARTHEST_LINES = 50
_DEBUG_ID = "__debug-id__"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ManagedLine:
    """A line of a C# file."""

    file: str
    line: int


class LineMapping:
    """One mapping. The lines of a C++ file are read when it is first asked for."""

    def __init__(self, data: Data) -> None:
        """FormatError when the outer object is not one. The mapping keeps a copy of `data`."""
        view = viewed(data)
        if len(view) > MAX_BYTES:
            raise FormatError("the IL2CPP mapping is too large")
        self._raw = _decoded(bytes(view), dict[str, msgspec.Raw])
        self._raw.pop(_DEBUG_ID, None)
        self._read: dict[str, tuple[list[int], list[ManagedLine]]] = {}

    def find(self, file: str, line: int) -> ManagedLine | None:
        """Where `line` of the C++ `file` came from: the nearest mapped line at or above it, at most 50 lines away.

        Raises FormatError when the lines of this file cannot be read.
        """
        lines, origins = self._lines(file)
        at = bisect_right(lines, line) - 1
        return origins[at] if at >= 0 and line - lines[at] <= FARTHEST_LINES else None

    def _lines(self, file: str) -> tuple[list[int], list[ManagedLine]]:
        if file not in self._raw:
            return [], []
        if file not in self._read:
            content = _decoded(self._raw[file], dict[str, dict[int, int]])
            pairs = [
                (line, ManagedLine(name, origin)) for name, inner in content.items() for line, origin in inner.items()
            ]
            pairs.sort(key=lambda pair: pair[0])
            self._read[file] = [line for line, _ in pairs], [origin for _, origin in pairs]
        return self._read[file]


def _decoded(data: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise FormatError("the IL2CPP mapping is not valid") from None
