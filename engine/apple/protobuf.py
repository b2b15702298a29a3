"""The wire format of Protocol Buffers, read field by field within the bounds of the data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from engine.apple.report import UnreadableReport

_VARINT, _FIXED64, _SIZED, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MAX_FIELDS = 250_000
_MASK = (1 << 64) - 1


class Message:
    """The fields of one message, in the order they come; unknown ones are the caller's to pass over.

    Numbers are unsigned and cut to 64 bits. Reading a field as something that it is not gives nothing.
    """

    __slots__ = ("_fields",)

    def __init__(self, data: memoryview) -> None:
        """Raises UnreadableReport when the message is not whole, or has more than 250,000 fields."""
        self._fields = list(islice(_fields(data), _MAX_FIELDS + 1))
        if len(self._fields) > _MAX_FIELDS:
            raise UnreadableReport("the report has too many fields")

    def number(self, field: int) -> int | None:
        """The last number under a field, as the format has it for repeated ones."""
        found = None
        for number, value in self._fields:
            if number == field and isinstance(value, int):
                found = value
        return found

    def sized(self, field: int) -> Iterator[memoryview]:
        """The contents of a field that has a length, as often as it comes."""
        return (value for number, value in self._fields if number == field and isinstance(value, memoryview))

    def text(self, field: int) -> str | None:
        found = next(self.sized(field), None)
        return str(found, "utf-8", "replace") if found else None

    def uuid(self, field: int) -> UUID | None:
        found = next(self.sized(field), None)
        return UUID(bytes=bytes(found)) if found and len(found) == 16 and any(found) else None

    def messages(self, field: int) -> Iterator[Message]:
        return (Message(content) for content in self.sized(field))

    def message(self, field: int) -> Message:
        """The first message under a field, an empty one when there is none."""
        return next(self.messages(field), None) or Message(memoryview(b""))


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _SIZED:
            size, position = _varint(data, position)
        if size is None or size > len(data) - position:
            raise UnreadableReport("a field of the report reaches beyond its end")
        content = data[position : position + size]
        position += size
        yield number, content if kind == _SIZED else int.from_bytes(content, "little")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    for byte in data[position : position + _LONGEST_VARINT]:
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & _MASK, position
    raise UnreadableReport("a number of the report has no end")
