"""The miscellaneous information stream, which grew with each version of Windows: what is there depends on its size."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from engine.minidump.image import Image, Layout, Unreadable

STREAM = 15
_FIRST = Layout("IIIIII")
_INTEGRITY_AT = 44
_BUILD_AT, _BUILD_BYTES = 232, 520
_DEBUGGER_BYTES = 80
# Which parts are valid.
_PROCESS_ID, _TIMES, _INTEGRITY, _BUILD = 1, 2, 16, 256


@dataclass(frozen=True, slots=True)
class MiscInfo:
    """The process: its id, when it was started (unix seconds), its processor time in seconds, texts about the build."""

    process_id: int | None = None
    create_time: int | None = None
    user_time: int | None = None
    kernel_time: int | None = None
    integrity_level: int | None = None
    build: str | None = None
    debugger_build: str | None = None


def read_misc(image: Image, at: int, size: int) -> MiscInfo:
    """Unreadable when even the first version's fields do not fit."""
    if size < _FIRST.size:
        raise Unreadable("the miscellaneous information is too short")
    _, valid, process, created, user, kernel = image.unpack(_FIRST, at)
    timed = bool(valid & _TIMES)
    return MiscInfo(
        process_id=process if valid & _PROCESS_ID else None,
        create_time=created if timed else None,
        user_time=user if timed else None,
        kernel_time=kernel if timed else None,
        integrity_level=_number(image, at, size, _INTEGRITY_AT) if valid & _INTEGRITY else None,
        build=_text(image, at, size, _BUILD_AT, _BUILD_BYTES) if valid & _BUILD else None,
        debugger_build=_text(image, at, size, _BUILD_AT + _BUILD_BYTES, _DEBUGGER_BYTES) if valid & _BUILD else None,
    )


def _number(image: Image, at: int, size: int, offset: int) -> int | None:
    return image.u32(at + offset) if size >= offset + 4 else None


def _text(image: Image, at: int, size: int, offset: int, length: int) -> str | None:
    if size < offset + length:
        return None
    with suppress(Unreadable):
        return image.fixed_utf16(image.charged(at + offset, length)) or None
    return None
