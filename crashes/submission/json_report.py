"""What of a JSON report is needed when it comes in: ids, time and attributes. The rest is only checked to be JSON."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from core.text import storable
from crashes.answers import TOO_LARGE, Refusal, malformed
from crashes.loose_json import BadJson, read_json, read_odd_json

MOST_BYTES: Final = 64 << 20
_MOST_ATTRIBUTE_BYTES: Final = 4 << 20
_MOST_CLASSIFIERS: Final = 20
_CLASSIFIER_LENGTH: Final = 200
# Above this a time is in milliseconds: as seconds it would lie in the year 5138.
_MOST_SECONDS: Final = 1e11
_LATEST: Final = 253_402_300_799
_FINGERPRINT_BYTES: Final = 32
_HEX: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})")
_FIELDS: Final = ("uuid", "timestamp", "attributes", "classifiers", "fingerprint")
_NOTHING: Final = msgspec.Raw(b"")


class _Told(msgspec.Struct):
    """The fields that are looked into; the others are passed over without being built."""

    uuid: msgspec.Raw = _NOTHING
    timestamp: msgspec.Raw = _NOTHING
    attributes: msgspec.Raw = _NOTHING
    classifiers: msgspec.Raw = _NOTHING
    fingerprint: msgspec.Raw = _NOTHING
    threads: msgspec.Raw = _NOTHING
    body: msgspec.Raw = _NOTHING


_decoder: Final = msgspec.json.Decoder(_Told)


@dataclass(frozen=True, slots=True)
class JsonFacts:
    """What a report says of itself. `attributes` as they came, of any shape; `fingerprint` is 64 hex or empty."""

    uuid: UUID | None = None
    occurred_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    classifiers: tuple[str, ...] = ()
    fingerprint: str = ""


def read_report(path: Path) -> JsonFacts:
    """The facts of the JSON report in a file. Raises Refusal: 400 for what is no JSON object, 413 for too much."""
    if path.stat().st_size > MOST_BYTES:
        raise Refusal(413, TOO_LARGE, f"a JSON report may have {MOST_BYTES} bytes")
    data = path.read_bytes()
    try:
        values = _strictly(data)
    except (msgspec.DecodeError, UnicodeError):
        values = _leniently(data)
    except RecursionError:
        raise malformed("the report is nested too deeply") from None
    return _facts(values)


def _strictly(data: bytes) -> dict[str, Any]:
    told = _decoder.decode(data)
    if _wraps(bool(told.body), bool(told.threads or told.attributes or told.uuid)) and bytes(told.body)[:1] == b"{":
        told = _decoder.decode(told.body)
    if len(told.attributes) > _MOST_ATTRIBUTE_BYTES:
        raise Refusal(413, TOO_LARGE, f"the attributes may have {_MOST_ATTRIBUTE_BYTES} bytes")
    return {name: read_json(raw) for name in _FIELDS if (raw := getattr(told, name))}


def _leniently(data: bytes) -> dict[str, Any]:
    try:
        values = read_odd_json(data)
    except BadJson as error:
        raise malformed(f"the report is {error}") from None
    if not isinstance(values, dict):
        raise malformed("the report is no JSON object")
    inner = values.get("body")
    if isinstance(inner, dict) and _wraps(True, any(name in values for name in ("threads", "attributes", "uuid"))):
        return inner
    return values


def _wraps(has_body: bool, has_more: bool) -> bool:
    """Older documentation has the whole report below `body`."""
    return has_body and not has_more


def _facts(values: Mapping[str, Any]) -> JsonFacts:
    attributes = values.get("attributes")
    return JsonFacts(
        uuid=read_uuid(values.get("uuid")),
        occurred_at=read_time(values.get("timestamp")),
        attributes=attributes if isinstance(attributes, dict) else {},
        classifiers=_classifiers(values.get("classifiers")),
        fingerprint=read_fingerprint(values.get("fingerprint")),
    )


def read_uuid(value: Any) -> UUID | None:
    """The id that a client gave its report, with hyphens or without; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        return UUID(value.strip())
    except ValueError:
        return None


def read_time(value: Any) -> datetime | None:
    """Seconds or milliseconds since the epoch, as a number or its text; None for what is no time."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    if seconds > _MOST_SECONDS:
        seconds /= 1000
    if not math.isfinite(seconds) or not 0 < seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def read_fingerprint(value: Any) -> str:
    """A fingerprint that a client chose, as 64 hex: base64 of 32 bytes, or hex. Empty for anything else."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if found := _HEX.fullmatch(text):
        return found[1].lower()
    try:
        raw = base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "==", validate=False)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) == _FINGERPRINT_BYTES else ""


def _classifiers(value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    texts = [storable(one)[:_CLASSIFIER_LENGTH] for one in given if isinstance(one, str)]
    return tuple(texts[:_MOST_CLASSIFIERS])
