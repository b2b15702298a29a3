"""The file to symbolicate: what kind it is, and its bytes."""

from __future__ import annotations

import mmap
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

_MINIDUMPS: Final = (b"MDMP", b"PMDM")
_MAX_REQUEST_BYTES: Final = 55 << 20

Content: TypeAlias = bytes | mmap.mmap


class Kind(StrEnum):
    MINIDUMP = "minidump"
    APPLE = "Apple crash report"
    REQUEST = "JSON request"


class _Request(msgspec.Struct):
    stacktraces: msgspec.Raw


_request: Final = msgspec.json.Decoder(_Request)


def read(path: Path) -> Content:
    """The bytes of a file, mapped. Raises OSError."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b""


def kind_of(content: Content) -> Kind:
    """By the first bytes; what is nothing else counts as a report in text, whose reader has the last word."""
    if content[:4] in _MINIDUMPS:
        return Kind.MINIDUMP
    if content[:64].lstrip()[:1] == b"{" and len(content) <= _MAX_REQUEST_BYTES and _is_request(content):
        return Kind.REQUEST
    return Kind.APPLE


def _is_request(content: Content) -> bool:
    try:
        _request.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
