"""The MessagePack files that native clients put beside a dump: one value, or several one after another."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import msgspec

MOST_BYTES: Final = 1 << 20
_MOST_VALUES: Final = 1_000
# With those inside of others. What clients send has some thousands.
_MOST_INNER_VALUES: Final = 200_000

# Bytes of a value behind its first byte, for those of fixed size.
_FIXED: Final = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4,
    0xD3: 8, 0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
# How a length is written, and how many bytes come on top of it; for texts, bytes and extensions.
_SIZED: Final = {
    0xC4: (">B", 0), 0xC5: (">H", 0), 0xC6: (">I", 0), 0xC7: (">B", 1), 0xC8: (">H", 1), 0xC9: (">I", 1),
    0xD9: (">B", 0), 0xDA: (">H", 0), 0xDB: (">I", 0),
}  # fmt: skip
# How a count is written, and how many values each of it is.
_COUNTED: Final = {0xDC: (">H", 1), 0xDD: (">I", 1), 0xDE: (">H", 2), 0xDF: (">I", 2)}


class BadMessagePack(ValueError):
    """It is not MessagePack, or too much of it."""


def values_of(data: bytes) -> list[Any]:
    """The values in `data`. Raises BadMessagePack for what is none, nested too deeply, or too many."""
    found: list[Any] = []
    try:
        for value in _split(data):
            if len(found) == _MOST_VALUES:
                raise BadMessagePack
            found.append(msgspec.msgpack.decode(value))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, IndexError, struct.error) as error:
        raise BadMessagePack from error
    return found


def objects_of(data: bytes) -> list[dict[Any, Any]]:
    """The objects in `data`; none where it cannot be read."""
    try:
        return [value for value in values_of(data) if isinstance(value, dict)]
    except BadMessagePack:
        return []


def _split(data: bytes) -> Iterator[bytes]:
    start, room = 0, _MOST_INNER_VALUES
    while start < len(data):
        end, count = _end_of(data, start, room)
        yield data[start:end]
        start, room = end, room - count


def _end_of(data: bytes, at: int, room: int) -> tuple[int, int]:
    """Where the value that begins at `at` ends, and how many values it is with those inside.

    Raises IndexError and struct.error where it does not end, and BadMessagePack for more values than `room`.
    """
    left = 1
    count = 0
    while left:
        count += 1
        if count > room:
            raise BadMessagePack
        first = data[at]
        size, inner = _measured(data, at, first)
        at += 1 + size
        left += inner - 1
        # A container cannot have more values than bytes are left.
        if left > len(data) - at:
            raise IndexError
    return at, count


def _measured(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Bytes behind the first one of a value, its inner values apart, and how many of those there are."""
    if first in _FIXED:
        return _FIXED[first], 0
    if first in _SIZED:
        form, more = _SIZED[first]
        return struct.calcsize(form) + struct.unpack_from(form, data, at + 1)[0] + more, 0
    if first in _COUNTED:
        form, each = _COUNTED[first]
        return struct.calcsize(form), each * struct.unpack_from(form, data, at + 1)[0]
    if 0x80 <= first <= 0x8F:
        return 0, 2 * (first & 0x0F)
    if 0x90 <= first <= 0x9F:
        return 0, first & 0x0F
    return (first & 0x1F if 0xA0 <= first <= 0xBF else 0), 0
