"""The messages that macOS's system libraries leave behind for crash reports ("__crash_info"), in Mozilla's stream.

The stream has up to twenty records, and each a few numbers and then texts that end with NUL.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.minidump.image import Image, Layout, Unreadable

STREAM = 0x4D7A0001
MAX_RECORDS = 20
_HEAD = Layout("III")
_PLACE = Layout("II")
_VERSION = Layout("QQ")
_TEXTS = 5


@dataclass(frozen=True, slots=True)
class CrashInfo:
    """What one module said before the process ended."""

    module: str
    message: str
    signature: str
    backtrace: str
    message2: str


def read_crash_info(image: Image, at: int, size: int) -> tuple[CrashInfo, ...]:
    """Unreadable when a record does not lie in the file."""
    if size < _HEAD.size:
        raise Unreadable("the crash information is too short")
    _, count, texts_at = image.unpack(_HEAD, at)
    if count > MAX_RECORDS or texts_at < _VERSION.size or size < _HEAD.size + count * _PLACE.size:
        raise Unreadable("the crash information claims records that it does not hold")
    places = image.rows(_PLACE, at + _HEAD.size, count)
    return tuple(_record(image.charged(place, length)[texts_at:]) for length, place in places)


def _record(texts: memoryview) -> CrashInfo:
    found = str(texts, "utf-8", "replace").split("\0", _TEXTS)
    if len(found) <= _TEXTS:
        raise Unreadable("a record lacks texts")
    return CrashInfo(*found[:_TEXTS])
