"""Reading values of JSON whatever type they have: what is not of use counts as absent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from core.text import storable

TEXT_LENGTH: Final = 8192
# Of one list or object.
MOST_ITEMS: Final = 250_000
_NOTHING: Final[Mapping[str, Any]] = {}
_DECIMAL: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_HEX: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}", re.ASCII)
_LARGEST: Final = 1 << 64
_LARGEST_LINE: Final = 0xFFFFFFFF


def text(value: Any, length: int = TEXT_LENGTH) -> str:
    """A text, cut and storable; numbers as they are written, everything else is empty."""
    if isinstance(value, str):
        return storable(value[:length])
    return str(value)[:length] if isinstance(value, int | float) and not isinstance(value, bool) else ""


def first_text(*values: Any) -> str:
    """The first text that is not empty."""
    return next((found for value in values if (found := text(value))), "")


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, Mapping) else _NOTHING


def items(value: Any, most: int = MOST_ITEMS) -> Iterator[Mapping[str, Any]]:
    """The objects in a list, or in the `values` of an object."""
    listed = value.get("values") if isinstance(value, Mapping) else value
    if isinstance(listed, list):
        yield from islice((item for item in listed if isinstance(item, Mapping)), most)


def number(value: Any) -> int | None:
    """A whole number: itself, one without a fraction, or its text in decimal or with 0x."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        stripped = value.strip()
        if _HEX.fullmatch(stripped):
            return int(stripped, 16)
        return int(stripped) if _DECIMAL.fullmatch(stripped) else None
    return value if isinstance(value, int) else None


def address(value: Any) -> int | None:
    """An address of 64 bits."""
    found = number(value)
    return found if found is not None and 0 <= found < _LARGEST else None


def line(value: Any) -> int | None:
    """The number of a line or column, from 0 on."""
    found = number(value)
    return found if found is not None and 0 <= found <= _LARGEST_LINE else None


def flag(value: Any) -> bool | None:
    """A switch, also as a text."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def lines(value: Any, most: int = 20) -> list[str]:
    """Lines of source: the texts of a list."""
    if not isinstance(value, list):
        return []
    return [storable(item[:TEXT_LENGTH]) for item in value[:most] if isinstance(item, str)]
