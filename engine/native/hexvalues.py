"""Addresses on the wire: `0x…` in either case of the x, decimal digits, or a JSON integer."""

from __future__ import annotations

import re
import struct
from binascii import unhexlify
from collections.abc import Sequence

_MODULUS = 1 << 64
_HEX = re.compile(r"\A0[xX]([0-9a-fA-F]+)\Z")
_DECIMAL = re.compile(r"\A[0-9]+\Z")
_CANONICAL_BYTES = b"0123456789abcdefx,"
# No value of 64 bits has more digits; longer texts are refused before they are turned into numbers.
_MAX_DIGITS = 128
_LONGEST = len("0x") + 16
_WORD = 16


class BadHex(ValueError):
    """A value is not an address."""


def parse_hex(value: str | int) -> int:
    """The unsigned 64-bit number of an address on the wire; negative integers wrap. Raises BadHex."""
    if isinstance(value, int):
        if not -(_MODULUS >> 1) <= value < _MODULUS:
            raise BadHex
        return value % _MODULUS
    number = _parse_text(value)
    if number >= _MODULUS:
        raise BadHex
    return number


def _parse_text(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise BadHex
    if match := _HEX.match(text):
        return int(match[1], 16)
    if _DECIMAL.match(text):
        return int(text)
    raise BadHex


def all_canonical(values: Sequence[str | int]) -> bool:
    """Whether every value reads as the answer would write it: `0x`, lower case, no padding, at most 64 bits.

    This is the shape nearly every request has; it is checked for all values at once because a check per value would
    cost as much as symbolicating it.
    """
    if not values:
        return True
    try:
        joined = f",{',,'.join(values)},"  # type: ignore[arg-type]  # integers raise, and are not canonical
    except TypeError:
        return False
    count = len(values)
    return (
        joined.isascii()
        and not joined.encode().translate(None, _CANONICAL_BYTES)
        and joined.count(",0x") == count == joined.count("x")
        and joined.count(",") == 2 * count
        and joined.count(",0x0") == joined.count(",0x0,")
        and "0x," not in joined
        and max(map(len, values)) <= _LONGEST  # type: ignore[arg-type]
    )


def numbers_of_one_length(values: Sequence[str | int]) -> Sequence[int] | None:
    """The numbers of hexadecimal texts that all have the length of the first one; None when it is not as simple.

    The addresses of one stack mostly are of one length. They are joined into a run of words of 16 digits, `000,0x1234`,
    where the comma and the x must stand in line, and read at once.
    """
    count = len(values)
    first = values[0] if count else 0
    if not isinstance(first, str) or not len("0x") < len(first) < _WORD:
        return None
    comma = _WORD - 1 - len(first)
    separator = "0" * comma + ","
    try:
        run = bytearray(separator.encode() + separator.join(values).encode())  # type: ignore[arg-type]
        if run[comma::_WORD] != b"," * count or run[comma + 2 :: _WORD] != b"x" * count:
            return None
        run[comma::_WORD] = run[comma + 2 :: _WORD] = b"0" * count
        if run[comma + 1 :: _WORD] != b"0" * count:
            return None
        return struct.unpack(f">{count}Q", unhexlify(run))
    except (TypeError, ValueError, struct.error):
        return None
