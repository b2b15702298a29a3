"""Secrets out of JSON of any shape."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from core.text import storable
from crashes.scrubbing.names import Names, is_environment
from crashes.scrubbing.texts import MASK, is_card_number, scrub_text

DEEPEST: Final = 64
TOO_DEEP: Final = "[too deep]"
# Lists of pairs: how headers and variables are written where order counts.
_NAME_KEYS: Final = ("name", "key", "header", "variable")
_ENVIRONMENT_LINES: Final = re.compile(r"(?:\A|[\n\0])(?:PATH|HOME|USER|PWD|SHELL|LANG|LOGNAME|HOSTNAME|TERM)=")
_LARGEST: Final = 1 << 63
_SMALLEST_CARD: Final = 10**12


def scrub(value: Any, extra: Collection[str] = ()) -> Any:
    """`value`, any JSON, with its secrets masked, in a form that PostgreSQL stores.

    Values under secret names (`extra` adds some, with * and ?) become "[redacted]", blocks of environment variables as
    a whole, and texts lose what looks like a secret. Numbers beyond 64 bits become texts, NaN and the infinities null.
    What lies deeper than 64 levels is dropped.
    """
    return scrubbed(value, Names.of(extra), DEEPEST)


def scrubbed(value: Any, names: Names, depth: int) -> Any:
    """As `scrub`, `depth` levels deep."""
    match value:
        case str():
            return scrubbed_text(value)
        case bool() | None:
            return value
        case int() | float():
            return _number(value)
        case Mapping():
            return _mapping(value, names, depth - 1) if depth else TOO_DEEP
        case list() | tuple():
            return [_item(item, names, depth - 1) for item in value] if depth else TOO_DEEP
        case _:
            return scrubbed_text(str(value))


def scrubbed_text(text: str) -> str:
    """A text without secrets, storable; masked whole when it is a block of environment variables."""
    if "=" in text and len(_ENVIRONMENT_LINES.findall(text, 0, 1 << 20)) > 1:
        return MASK
    return storable(scrub_text(text))


def _number(value: float) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value >= _SMALLEST_CARD and is_card_number(str(value)):
        return MASK
    return value if -_LARGEST <= value < _LARGEST else str(value)


def _mapping(value: Mapping[Any, Any], names: Names, depth: int) -> dict[str, Any]:
    return {scrubbed_text(str(name)): _member(str(name), item, names, depth) for name, item in value.items()}


def _member(name: str, value: Any, names: Names, depth: int) -> Any:
    if is_environment(name, value) or names.hides(name, value):
        return MASK
    return scrubbed(value, names, depth)


def _item(item: Any, names: Names, depth: int) -> Any:
    """An item of a list: itself, or a name and its value."""
    match item:
        case [str() as name, value]:
            return [scrubbed_text(name), _member(name, value, names, depth)]
        case {"value": value, **rest}:
            name = next((str(rest[key]) for key in _NAME_KEYS if isinstance(rest.get(key), str)), "")
            made = scrubbed(item, names, depth)
            return {**made, "value": MASK} if isinstance(made, dict) and names.hides(name, value) else made
        case _:
            return scrubbed(item, names, depth)
