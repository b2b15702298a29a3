"""A crash's fingerprint: equal for crashes that are the same fault."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from core.text import storable
from crashes.grouping.parts import Grouping, Part
from crashes.grouping.stacks import base_name, counting_frames
from crashes.results import Frame, Result

# Changes when the same crash gets another fingerprint than before.
_METHOD: Final = "1"
_MOST_TYPES: Final = 10
_MOST_CHOSEN: Final = 64
_MESSAGE_LENGTH: Final = 500
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
_DEFAULT: Final = re.compile(r"\{\{\s*default\s*\}\}")
_VARYING: Final = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<email>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b0[xX][0-9a-fA-F]+"), "<hex>"),
    (re.compile(r"\b(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{6,}\b"), "<hex>"),
    (re.compile(r"[-+]?\d+(?:[.,:]\d+)*"), "<n>"),
)


def grouping_of(result: Result, *, chosen: str = "", modifiers: Mapping[str, Any] | None = None) -> Grouping:
    """What a crash is grouped by, and what it is called.

    `chosen` is a fingerprint of 64 hex characters that the client sent and wins; `modifiers` are the submission's:
    `_mod_fingerprint` (the same as `chosen`), or `fingerprint`, a list of texts of which `{{ default }}` stands for
    what would have been without it.
    """
    frames = counting_frames(result)
    parts = _parts(result, [part for _frame, part in frames])
    title, culprit = _title(result, frames), _culprit(frames)
    sent = modifiers or {}
    direct = next((text for text in (chosen, sent.get("_mod_fingerprint")) if _is_sha256(text)), None)
    if direct is not None:
        return Grouping(direct.lower(), title, culprit, (Part("client", direct.lower()),))
    named = tuple(_chosen_parts(sent, parts))
    return Grouping(_digest(named or parts), title, culprit, named or parts)


def without_varying(message: str) -> str:
    """A message with what differs each time it is written replaced: numbers, addresses, ids."""
    text = " ".join(message[:_MESSAGE_LENGTH].split())
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _chosen_parts(modifiers: Mapping[str, Any], default: Iterable[Part]) -> Iterator[Part]:
    texts = modifiers.get("_mod_fingerprint")
    listed = modifiers.get("fingerprint") if texts in (None, "") else texts
    for value in (listed if isinstance(listed, list) else [listed])[:_MOST_CHOSEN]:
        text = storable(value) if isinstance(value, str) else "" if value is None else str(value)
        if _DEFAULT.fullmatch(text.strip()):
            yield from default
        elif text:
            yield Part("client", text[:_MESSAGE_LENGTH])


def _parts(result: Result, frames: list[Part]) -> tuple[Part, ...]:
    types = [failure.type for failure in result.failures[-_MOST_TYPES:] if failure.type]
    if not types and result.reason:
        types = [result.reason]
    parts = [Part("type", without_varying(text)) for text in types]
    if frames:
        return (*parts, *frames)
    messages = [failure.value for failure in result.failures if failure.value] or [result.assertion or ""]
    parts += [Part("message", without_varying(text)) for text in messages[-_MOST_TYPES:] if text]
    return tuple(parts) or (Part("platform", result.platform),)


def _digest(parts: Iterable[Part]) -> str:
    # An array, so that no two lists of parts run into the same text.
    listed = [_METHOD, *((part.kind, storable(part.value)) for part in parts)]
    return hashlib.sha256(msgspec.json.encode(listed)).hexdigest()


def _title(result: Result, frames: list[tuple[Frame, Part]]) -> str:
    for failure in reversed(result.failures):
        if failure.type or failure.value:
            return storable(": ".join(text for text in (failure.type, _first_line(failure.value)) if text))
    said = result.assertion or result.reason
    if said:
        return storable(_first_line(said))
    return f"Crash in {_name(*frames[0])}" if frames else "Crash without a stack"


def _culprit(frames: list[tuple[Frame, Part]]) -> str:
    if not frames:
        return ""
    frame, part = frames[0]
    file = base_name(frame.filename or frame.abs_path or "")
    line = f":{frame.lineno}" if frame.lineno else ""
    return storable(f"{_name(frame, part)} ({file}{line})" if file else _name(frame, part))


def _name(frame: Frame, part: Part) -> str:
    return storable(frame.function or frame.symbol or part.value)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()
