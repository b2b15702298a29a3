"""The lines around a line of source text, trimmed as the wire format wants them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from itertools import islice

CONTEXT_LINES = 5
LONGEST_LINE_BYTES = 150
KEPT_BYTES = 140
SNIPPED = " {snip}"


@dataclass(frozen=True, slots=True)
class SourceContext:
    """One line and up to five before and after it."""

    pre_context: tuple[str, ...]
    context_line: str
    post_context: tuple[str, ...]


def source_context(source: bytes, line: int) -> SourceContext | None:
    """What stands around the 1-based `line` of `source` (UTF-8); None when the file has no such line.

    Line 0 counts as line 1. Lines end at a line feed, a carriage return before it does not belong to them. A line of
    more than 150 bytes is cut to 140 bytes, or less where that would split a letter, and marked.
    """
    at = max(line, 1) - 1
    first = max(at - CONTEXT_LINES, 0)
    if line < 0 or at >= len(source):
        return None
    lines = [_shown(text) for text in islice(BytesIO(source), first, at + CONTEXT_LINES + 1)]
    if len(lines) <= at - first:
        return None
    return SourceContext(tuple(lines[: at - first]), lines[at - first], tuple(lines[at - first + 1 :]))


def _shown(line: bytes) -> str:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if len(line) <= LONGEST_LINE_BYTES:
        return line.decode(errors="replace")
    kept = KEPT_BYTES
    while kept > KEPT_BYTES - 4 and line[kept] & 0xC0 == 0x80:
        kept -= 1
    return line[:kept].decode(errors="replace") + SNIPPED
