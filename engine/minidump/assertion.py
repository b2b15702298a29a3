"""The assertion stream of Breakpad on Windows: which check failed, where."""

from __future__ import annotations

from dataclasses import dataclass

from engine.minidump.image import Image, Layout, Unreadable

STREAM = 0x47670002
_TEXT_BYTES = 256
_END = Layout("II")
_KINDS = {1: "invalid parameter", 2: "pure virtual call"}


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a program says about the check that failed; texts are empty where the runtime has none."""

    expression: str
    function: str
    file: str
    line: int
    kind: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file else ""
        parts = (self.kind, self.expression, self.function and f"in {self.function}", where and f"at {where}")
        return " ".join(part for part in parts if part)


def read_assertion(image: Image, at: int, size: int) -> Assertion:
    """Unreadable when the stream is too short."""
    if size < 3 * _TEXT_BYTES + _END.size:
        raise Unreadable("the assertion is too short")
    places = (at, at + _TEXT_BYTES, at + 2 * _TEXT_BYTES)
    expression, function, file = (image.fixed_utf16(image.charged(place, _TEXT_BYTES)) for place in places)
    line, kind = image.unpack(_END, at + 3 * _TEXT_BYTES)
    return Assertion(expression, function, file, line, _KINDS.get(kind, ""))
