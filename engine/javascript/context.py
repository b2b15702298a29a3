"""The lines around a position of a script, trimmed around its column: minified lines have megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate

from engine.formats.source_context import CONTEXT_LINES, LONGEST_LINE_BYTES
from engine.javascript.wire import Frame

_KEPT_BYTES = 140
_BEFORE_BYTES = 60
# So few bytes are not worth a mark.
_NEAR_BYTES = 5
_LINE_FEED, _CARRIAGE_RETURN = b"\n\r"
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


def line_ends(text: bytes) -> Sequence[int]:
    """The offset behind each line of a text; what follows a final line feed is no line."""
    return array("I", accumulate(map(len, BytesIO(text))))


def context_of(text: bytes, line: int, column: int, ends: Sequence[int] | None = None) -> Context | None:
    """What stands around the 1-based `line` of a text in UTF-8; None where it has no such line.

    All lines are trimmed around the same `column`. `ends` are the text's `line_ends`, where they are known.
    """
    ends = line_ends(text) if ends is None else ends
    if not 1 <= line <= len(ends):
        return None
    first, last = max(line - 1 - CONTEXT_LINES, 0), min(line + CONTEXT_LINES, len(ends))
    lines = [trimmed(text, column, ends[at - 1] if at else 0, ends[at]) for at in range(first, last)]
    at = line - 1 - first
    return Context(tuple(lines[:at]), lines[at], tuple(lines[at + 1 :]))


def context_of_lines(before: Iterable[str], line: str, after: Iterable[str], column: int) -> Context:
    """The same from lines that are cut out already; the empty one that follows a final line feed is none."""
    return Context(
        tuple(_trimmed_text(text, column) for text in before),
        _trimmed_text(line, column),
        tuple(_trimmed_text(text, column) for text in after if text),
    )


def trimmed(text: bytes, column: int, start: int = 0, end: int | None = None) -> str:
    """A line of a text, without its end; of one with more than 150 bytes 140 around `column`, cut between letters.

    Nothing but those bytes is copied.
    """
    end = len(text) if end is None else end
    if end > start and text[end - 1] == _LINE_FEED:
        end -= 1
    if end > start and text[end - 1] == _CARRIAGE_RETURN:
        end -= 1
    if end - start <= LONGEST_LINE_BYTES:
        return text[start:end].decode(errors="replace")
    first, last = _window(end - start, column)
    from_, to = _boundary(text, start, start + first, end), _boundary(text, start, start + last, end)
    shown = text[from_:to].decode(errors="replace")
    return (_CUT_BEFORE if from_ > start else "") + shown + (_CUT_AFTER if to < end else "")


def _window(length: int, column: int) -> tuple[int, int]:
    """Which bytes of a long line are shown."""
    first = min(column, length) - _BEFORE_BYTES
    first = first if first >= _NEAR_BYTES else 0
    last = first + _KEPT_BYTES
    return (length - _KEPT_BYTES, length) if length - last < _NEAR_BYTES else (first, last)


def _trimmed_text(text: str, column: int) -> str:
    return trimmed(text.encode(errors="replace"), column)


def _boundary(text: bytes, start: int, at: int, end: int) -> int:
    """`at`, or the start of the letter that it would cut."""
    while start < at < end and text[at] & 0xC0 == 0x80:
        at -= 1
    return at
