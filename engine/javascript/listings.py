"""What artifact-lookup servers answer, and the answers that this process remembers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from threading import Lock
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from engine.errors import FailureKind, LookupFailure
from engine.javascript.artifacts import Listed, ListedBundle, ListedFile, ResolvedWith

KEPT_SECONDS = 3600.0
KEPT_BYTES = 64 << 20
# What an answer takes in memory besides its text.
_OVERHEAD_BYTES = 500
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Bundle(msgspec.Struct, frozen=True, tag="bundle"):
    id: str
    url: _Text
    resolved_with: ResolvedWith | None = None


class _File(msgspec.Struct, frozen=True, tag="file"):
    id: str
    url: _Text
    abs_path: str
    headers: dict[str, str] | None = None
    resolved_with: ResolvedWith | None = None


_decoder = msgspec.json.Decoder(list[_Bundle | _File])


def parse_answer(content: bytes) -> tuple[Listed, ...]:
    """Read an answer; one item that is not as agreed spoils it. Raises LookupFailure (malformed)."""
    try:
        items = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LookupFailure(FailureKind.MALFORMED, "the answer to the artifact lookup is not as agreed") from None
    if not all(_is_web(item.url) for item in items):
        raise LookupFailure(FailureKind.MALFORMED, "the answer to the artifact lookup holds a URL that is none")
    return tuple(_listed(item) for item in items)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _listed(item: _Bundle | _File) -> Listed:
    resolved_with = item.resolved_with or ResolvedWith.UNKNOWN
    if isinstance(item, _Bundle):
        return ListedBundle(item.id, item.url, resolved_with)
    headers = {name.lower(): value for name, value in (item.headers or {}).items()}
    return ListedFile(item.id, item.url, item.abs_path, headers, resolved_with)


class Answers:
    """Answers by server and question, for an hour and within so many bytes; the oldest ones go first."""

    def __init__(self, most_bytes: int = KEPT_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most_bytes
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[tuple[str, str], tuple[float, tuple[Listed, ...], int]] = {}
        self._used = 0

    def get(self, key: tuple[str, str]) -> tuple[Listed, ...] | None:
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > self._clock() else None

    def put(self, key: tuple[str, str], listed: tuple[Listed, ...], size: int) -> None:
        """Remember an answer of `size` bytes."""
        size = 2 * size + _OVERHEAD_BYTES + len(key[1])
        with self._lock:
            self._forget(key)
            self._kept[key] = (self._clock() + KEPT_SECONDS, listed, size)
            self._used += size
            while self._used > self._most and self._kept:
                self._forget(next(iter(self._kept)))

    def forget_of(self, owners: Collection[str]) -> None:
        """Drop the answers to providers whose cache keys begin with one of these tags; the empty one stands for all."""
        with self._lock:
            for key in [key for key in self._kept if key[0].startswith(tuple(owners))]:
                self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._used -= found[2]


answers = Answers()
