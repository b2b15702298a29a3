"""The query string of the symbolication endpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from symbolication.rejections import Rejected

DEFAULT_SCOPE: Final = "global"
_NUMBER: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_LARGEST: Final = 2**64 - 1
_FIELDS_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Query:
    """`timeout`: seconds to wait for the answer, None until there is one. `scope`: a part of every cache key."""

    timeout: int | None = None
    scope: str = DEFAULT_SCOPE


def read_query(text: str) -> Query:
    """Read a raw query string; unknown parameters are ignored. Raises Rejected (400)."""
    if not text:
        return Query()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_AT_MOST)
    except ValueError:
        raise _bad("too many parameters") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name in ("timeout", "scope"):
            raise _bad(f"{name}: given more than once")
        values[name] = value
    return Query(_seconds(values.get("timeout")), values.get("scope", DEFAULT_SCOPE))


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
        raise _bad("timeout: must be a whole number of seconds")
    return int(text)


def _bad(problem: str) -> Rejected:
    return Rejected(400, f"The query string cannot be read: {problem}")
