"""Events of Sentry's clients: what of one is needed when it comes in. Stack traces are for processing to read.

The payload is public (https://develop.sentry.dev/sdk/foundations/data-model/event-payloads/); every field may be
missing, or of another type than it should be.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from core.text import storable
from core.times import in_utc
from crashes.loose_json import BadJson, read_json
from crashes.sentry.answers import BadReport
from crashes.sentry.loosely import decoded
from crashes.submission.json_report import read_time, read_uuid

MOST_BYTES: Final = 2 << 20
# Parts of an event that become attributes; a larger one is left to processing.
_PART_BYTES: Final = 256 << 10
_MOST_EXCEPTIONS: Final = 20
_TEXT_LENGTH: Final = 200
_MOST_FINGERPRINTS: Final = 50
_FINGERPRINT_LENGTH: Final = 1_000
_NOTHING: Final = msgspec.Raw(b"")
_PLAIN: Final = ("release", "dist", "environment", "level", "logger", "platform", "server_name", "transaction")
_USER: Final = ("id", "email", "username", "ip_address", "name")
_DEFAULT: Final = "default"
_ALIASES: Final = {"type": "error.type", "value": "error.message", "error.value": "error.message"}
_VARIABLE: Final = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
# What processing finds out anew, or what says nothing about the crash.
_CONTEXT_NOISE: Final = frozenset({"type"})
# Year 1 and year 9999 have no neighbours to move to when a time zone is applied.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class _Told(msgspec.Struct):
    """The fields that are looked into; the others are passed over without being built."""

    event_id: msgspec.Raw = _NOTHING
    timestamp: msgspec.Raw = _NOTHING
    release: msgspec.Raw = _NOTHING
    dist: msgspec.Raw = _NOTHING
    environment: msgspec.Raw = _NOTHING
    level: msgspec.Raw = _NOTHING
    logger: msgspec.Raw = _NOTHING
    platform: msgspec.Raw = _NOTHING
    server_name: msgspec.Raw = _NOTHING
    transaction: msgspec.Raw = _NOTHING
    message: msgspec.Raw = _NOTHING
    logentry: msgspec.Raw = _NOTHING
    fingerprint: msgspec.Raw = _NOTHING
    tags: msgspec.Raw = _NOTHING
    contexts: msgspec.Raw = _NOTHING
    user: msgspec.Raw = _NOTHING
    sdk: msgspec.Raw = _NOTHING
    exception: msgspec.Raw = _NOTHING


class _Exception(msgspec.Struct):
    type: msgspec.Raw = _NOTHING
    value: msgspec.Raw = _NOTHING


class _Exceptions(msgspec.Struct):
    values: list[_Exception | None] | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What an event says of itself. `attributes` are flat or nearly so, and not scrubbed.

    `client_fingerprint` is 64 hex or empty; where `fingerprint` has texts, they are to be mixed with what the crash
    would be grouped by otherwise.
    """

    uuid: UUID | None = None
    occurred_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    classifiers: tuple[str, ...] = ()
    client_fingerprint: str = ""
    fingerprint: tuple[str, ...] = ()


def read_event(data: bytes) -> EventFacts:
    """The facts of an event in JSON. Raises BadReport (400) for what is no JSON object."""
    try:
        told = decoded(data, _Told)
    except BadJson as error:
        raise BadReport(f"the event cannot be read: {error}") from None
    values = {name: _plain(getattr(told, name)) for name in told.__struct_fields__ if name != "exception"}
    exceptions = list(_exceptions(told.exception))
    attributes = _attributes(values, exceptions)
    chosen, mixed = _fingerprint(values["fingerprint"], attributes)
    return EventFacts(
        uuid=event_id_of(values["event_id"]),
        occurred_at=_moment(values["timestamp"]),
        attributes=attributes,
        classifiers=tuple(dict.fromkeys(type_ for type_, _ in exceptions if type_)),
        client_fingerprint=chosen,
        fingerprint=mixed,
    )


def event_id_of(value: Any) -> UUID | None:
    """The id of an event, with hyphens or without; None for what is none, zero included."""
    found = read_uuid(value)
    return found if found is not None and found.int else None


def _plain(raw: msgspec.Raw) -> Any:
    data = memoryview(raw)
    if not data or len(data) > _PART_BYTES:
        return None
    try:
        return read_json(data)
    except BadJson:
        return None


def _exceptions(raw: msgspec.Raw) -> Iterator[tuple[str, str]]:
    """Types and values, in the event's order: the cause before what it caused."""
    data = memoryview(raw)
    if not data:
        return
    try:
        shape: Any = _Exceptions if bytes(data[:1]) == b"{" else list[_Exception | None]
        found = decoded(raw, shape)
    except BadJson:
        return
    listed = (found.values or []) if isinstance(found, _Exceptions) else found
    for one in listed[-_MOST_EXCEPTIONS:]:
        if one is not None:
            yield _text(_plain(one.type)), _text(_plain(one.value))


def _text(value: Any) -> str:
    return storable(value)[:_TEXT_LENGTH] if isinstance(value, str) else ""


def _attributes(values: Mapping[str, Any], exceptions: list[tuple[str, str]]) -> dict[str, Any]:
    """By the names that Sentry searches by. The event's own fields come before tags, tags before contexts."""
    own = {name: values[name] for name in _PLAIN}
    if exceptions:
        own["error.type"], own["error.message"] = exceptions[-1]
    own["message"] = _message(values)
    user, sdk = values["user"], values["sdk"]
    if isinstance(user, dict):
        own |= {f"user.{name}": user.get(name) for name in _USER}
    if isinstance(sdk, dict):
        own |= {f"sdk.{name}": sdk.get(name) for name in ("name", "version")}
    found = {name: value for name, value in own.items() if value not in (None, "", [], {})}
    for name, value in (*_tags(values["tags"]), *_contexts(values["contexts"])):
        found.setdefault(name, value)
    return found


def _message(values: Mapping[str, Any]) -> Any:
    for value in (values["logentry"], values["message"]):
        text = value.get("formatted") or value.get("message") if isinstance(value, dict) else value
        if isinstance(text, str) and text:
            return text
    return None


def _tags(tags: Any) -> Iterator[tuple[str, Any]]:
    """An object, or a list of pairs."""
    if isinstance(tags, dict):
        yield from ((str(name), value) for name, value in tags.items() if value is not None)
    elif isinstance(tags, list):
        yield from ((str(pair[0]), pair[1]) for pair in tags if isinstance(pair, list) and len(pair) == 2)


def _contexts(contexts: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(contexts, dict):
        return
    for context, values in contexts.items():
        if isinstance(values, dict):
            for name, value in values.items():
                if name not in _CONTEXT_NOISE and isinstance(value, str | int | float):
                    yield f"{context}.{name}", value


def _fingerprint(value: Any, attributes: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """A digest of what the client chose; or the texts themselves where the default is one of them."""
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    parts = [part for part in given[:_MOST_FINGERPRINTS] if isinstance(part, str | int | float)]
    texts = [storable(_filled(str(part), attributes)) for part in parts]
    defaults = [found is not None and found[1] == _DEFAULT for found in map(_VARIABLE.fullmatch, map(str.strip, texts))]
    if all(defaults):
        return "", ()
    if any(defaults):
        return "", tuple(texts)
    # No two lists run into the same text.
    return hashlib.sha256(msgspec.json.encode(["sentry", *texts])).hexdigest(), ()


def _filled(text: str, attributes: Mapping[str, Any]) -> str:
    """A text of a fingerprint with its variables replaced: `{{ transaction }}`, `{{ error.type }}`, `{{ tags.os }}`."""

    def value(found: re.Match[str]) -> str:
        name = _ALIASES.get(found[1], found[1].removeprefix("tags."))
        return found[0] if name == _DEFAULT else str(attributes.get(name, found[0]))[:_TEXT_LENGTH]

    return _VARIABLE.sub(value, text[:_FINGERPRINT_LENGTH])[:_FINGERPRINT_LENGTH]


def _moment(value: Any) -> datetime | None:
    """Seconds since the epoch, or ISO 8601, in UTC where it does not say."""
    if (found := read_time(value)) is not None or not isinstance(value, str):
        return found
    try:
        moment = in_utc(datetime.fromisoformat(value.strip()))
    except ValueError:
        return None
    return moment if _EARLIEST < moment < _LATEST else None
