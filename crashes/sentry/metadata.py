"""What a form says beside a dump: Sentry's own fields, in three spellings, and those of whoever wrote the client.

`sentry` holds an event in JSON, `sentry__1`, `sentry__2` and so on are pieces of one that was too long for a field, and
`sentry[tags][color]` is one value of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from crashes.loose_json import BadJson, read_json
from crashes.sentry.answers import BadReport

_WHOLE: Final = "sentry"
_PIECE: Final = re.compile("sentry__([0-9]{1,3})")
_VALUE: Final = re.compile(r"sentry((?:\[[^\[\]]{1,200}\]){1,8})")
_STEP: Final = re.compile(r"\[([^\[\]]+)\]")
_KEY: Final = "sentry_key"
_MERGED_LEVELS: Final = 8

Fields = Mapping[str, list[str]]


def event_of(fields: Fields) -> dict[str, Any]:
    """The event that a form's fields tell, as far as they do. Raises BadReport for JSON that cannot be read."""
    found: dict[str, Any] = {}
    whole = (fields.get(_WHOLE) or [""])[-1]
    for text in (whole, "".join(_pieces(fields))):
        if text.strip():
            merge(found, _read(text))
    for name, values in fields.items():
        if match := _VALUE.fullmatch(name):
            _set(found, _STEP.findall(match[1]), values[-1])
    return found


def others(fields: Fields) -> dict[str, str]:
    """The fields that are not Sentry's own: what Electron, Crashpad and applications tell."""
    return {
        name: values[-1]
        for name, values in fields.items()
        if name not in (_WHOLE, _KEY) and not _PIECE.fullmatch(name) and not _VALUE.fullmatch(name)
    }


def merge(into: dict[str, Any], more: Mapping[str, Any], depth: int = _MERGED_LEVELS) -> None:
    """Add `more`, whose values win; objects in both become one, down to some levels."""
    for name, value in more.items():
        present = into.get(name)
        if depth and isinstance(present, dict) and isinstance(value, dict):
            merge(present, value, depth - 1)
        else:
            into[name] = value


def _pieces(fields: Fields) -> list[str]:
    found = {int(match[1]): values[-1] for name, values in fields.items() if (match := _PIECE.fullmatch(name))}
    return [found[number] for number in sorted(found)]


def _read(text: str) -> dict[str, Any]:
    try:
        value = read_json(text.encode("utf-8", "surrogatepass"))
    except BadJson as error:
        raise BadReport(f"the field sentry cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise BadReport("the field sentry is no JSON object")
    return value


def _set(into: dict[str, Any], path: list[str], value: str) -> None:
    *steps, last = path
    for step in steps:
        inner = into.get(step)
        if not isinstance(inner, dict):
            inner = into[step] = {}
        into = inner
    into[last] = value
