"""What can be asked about a crash, as SQL over `c` (the crash) and `g` (its group)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from core.text import storable
from crashes.answers import malformed
from crashes.query.literals import NUMBER, Binder

FROM: Final = "crashes_crash c LEFT JOIN crashes_group g ON g.id = c.group_id"
MOST_NAME: Final = 200
CALLSTACK: Final = "callstack"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute in a statement: SQL of its value as JSON, as text, and as a number; NULL where it has none.

    `stored` says that the client sent it, so that an index finds it. `type` and `format` are what clients are told.
    """

    name: str
    value: str
    text: str
    number: str
    stored: bool = False
    type: str = "dictionary"
    format: str = "none"


@dataclass(frozen=True, slots=True)
class _Known:
    text: str
    type: str = "dictionary"
    format: str = "none"
    number: str = ""


def _epoch(expression: str) -> _Known:
    number = f"floor(extract(epoch FROM {expression}))::bigint"
    return _Known(f"({number})::text", "uint64", "unix_timestamp", number)


def _sent_or(name: str, column: str) -> _Known:
    return _Known(f"coalesce(c.attributes ->> '{name}', nullif({column}, ''))")


KNOWN: Final[Mapping[str, _Known]] = MappingProxyType(
    {
        "_rxid": _Known("c.rxid", format="uuid"),
        "object": _Known("to_hex(c.id)"),
        "timestamp": _epoch("coalesce(c.occurred_at, c.received_at)"),
        "_received": _epoch("c.received_at"),
        "fingerprint": _Known("nullif(c.fingerprint, '')", format="sha256"),
        "fingerprint;first_seen": _epoch("g.first_seen"),
        "fingerprint;last_seen": _epoch("g.last_seen"),
        "fingerprint;state": _Known("g.state"),
        "classifiers": _Known("nullif(array_to_string(c.classifiers, ' '), '')", format="labels"),
        "uuid": _Known("c.uuid::text", format="uuid"),
        "error.message": _sent_or("error.message", "c.title"),
        "application.version": _sent_or("application.version", "c.version"),
        "uname.sysname": _sent_or("uname.sysname", "c.os_name"),
        "_platform": _Known("nullif(c.platform, '')"),
        "_format": _Known("c.format"),
        "_state": _Known("c.state"),
        "_size": _Known("c.stored_bytes::text", "uint64", "bytes", "c.stored_bytes"),
    }
)


def attribute(name: object, bind: Binder, where: str) -> Attribute:
    """An attribute by its name. Raises Refusal (400) for what cannot be a name."""
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME:
        raise malformed(f"{where}: the name of an attribute is wanted")
    if name == CALLSTACK:
        raise malformed("callstack: can be selected, and be taken of the first or last crash of a fold; nothing else")
    known = KNOWN.get(name)
    if known is None:
        return _sent(storable(name), bind)
    number = known.number or _number(known.text)
    value = f"to_jsonb({known.number or known.text})"
    return Attribute(name, value, known.text, number, type=known.type, format=known.format)


def _sent(name: str, bind: Binder) -> Attribute:
    place = bind(name)
    text = f"(c.attributes ->> {place})"
    value = f"nullif(c.attributes -> {place}, 'null'::jsonb)"
    return Attribute(name, value, text, _number(text), stored=True)


def _number(text: str) -> str:
    """Texts count as the numbers that they spell: most clients send nothing but texts."""
    return f"(CASE WHEN {text} ~ '{NUMBER}' THEN ({text})::numeric END)"
