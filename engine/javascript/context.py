"""The lines around a position of a script, trimmed around its column: minified lines have megabytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from engine.formats.source_context import CONTEXT_LINES, LONGEST_LINE_BYTES
from engine.javascript.wire import Frame

_KEPT_BYTES = 140
_BEFORE_BYTES = 60
# So few bytes are not worth a mark.
_NEAR_BYTES = 5
_CUT_BEFORE, _CUT_AFTER = "{snip} ", " {snip}"


@dataclass(frozen=True, slots=True)
class Context:
    """One line and up to five before and after it, trimmed."""

    before: tuple[str, ...]
    line: str
    after: tuple[str, ...]

    def put_into(self, frame: Frame) -> None:
        frame.pre_context = list(self.before) or None
        frame.context_line = self.line
        frame.post_context = list(self.after) or None


def context_of(text: bytes, line: int, column: int) -> Context | None:
    """What stands around the 1-based `line` of a text in UTF-8; None where it has no such line.

    All lines are trimmed around the same `column`.
    """
    first = max(line - 1 - CONTEXT_LINES, 0)
    if line < 1 or line > len(text):
        return None
    lines = [trimmed(raw, column) for raw in islice(BytesIO(text), first, line + CONTEXT_LINES)]
    at = line - 1 - first
    if at >= len(lines):
        return None
    return Context(tuple(lines[:at]), lines[at], tuple(lines[at + 1 :]))


def context_of_lines(before: Iterable[str], line: str, after: Iterable[str], column: int) -> Context:
    """The same from lines that are cut out already; the empty one that follows a final line feed is none."""
    return Context(
        tuple(_trimmed_text(text, column) for text in before),
        _trimmed_text(line, column),
        tuple(_trimmed_text(text, column) for text in after if text),
    )


def trimmed(line: bytes, column: int) -> str:
    """A line without its end; of one with more than 150 bytes 140 around `column`, cut between letters, and marks."""
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    length = len(line)
    if length <= LONGEST_LINE_BYTES:
        return line.decode(errors="replace")
    start = min(column, length) - _BEFORE_BYTES
    start = start if start >= _NEAR_BYTES else 0
    end = start + _KEPT_BYTES
    if length - end < _NEAR_BYTES:
        start, end = length - _KEPT_BYTES, length
    start, end = _boundary(line, start), _boundary(line, end)
    text = line[start:end].decode(errors="replace")
    return (_CUT_BEFORE if start else "") + text + (_CUT_AFTER if end < length else "")


def _trimmed_text(text: str, column: int) -> str:
    return trimmed(text.encode(errors="replace"), column)


def _boundary(line: bytes, at: int) -> int:
    """`at`, or the start of the letter that it would cut."""
    while 0 < at < len(line) and line[at] & 0xC0 == 0x80:
        at -= 1
    return at
