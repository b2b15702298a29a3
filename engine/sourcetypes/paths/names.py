"""The parts that paths on symbol servers are made of."""

from __future__ import annotations

import re
import uuid

from engine.modules import Wanted

_SEPARATORS = re.compile(r"[/\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NAME_LIMIT = 256


def base_name(path: str | None) -> str | None:
    """The last component of a path with slashes or backslashes.

    None for names that cannot be a component on a server: too long, with control characters, `.` or `..`.
    """
    name = _SEPARATORS.split((path or "").rstrip("/\\"))[-1]
    if not name or name in (".", "..") or len(name.encode(errors="replace")) >= NAME_LIMIT or _CONTROL.search(name):
        return None
    return name


def mach_uuid(wanted: Wanted) -> uuid.UUID | None:
    """The UUID of a Mach-O file: its code id, which must be one if there is any, else that of the debug id."""
    if wanted.code_id is not None:
        return uuid.UUID(hex=wanted.code_id) if len(wanted.code_id) == 32 else None
    return wanted.debug_id.uuid if wanted.debug_id else None


def code_id_or_uuid(wanted: Wanted) -> str | None:
    """The code id, else the UUID of the debug id, in lower-case hex."""
    if wanted.code_id is not None:
        return wanted.code_id
    return wanted.debug_id.uuid.hex if wanted.debug_id else None


def split_id(text: str | None) -> str | None:
    """`cc/rest`: the first two digits are a directory."""
    return f"{text[:2]}/{text[2:]}" if text and len(text) > 2 else None


def join(*parts: str | None) -> str | None:
    """The parts as one path; None when one is missing."""
    present = [part for part in parts if part is not None]
    return "/".join(present) if len(present) == len(parts) else None


def suffixed(path: str | None, suffix: str) -> str | None:
    return None if path is None else path + suffix


def with_extension(path: str | None, extension: str) -> str | None:
    """The path with what follows the last dot of its last component replaced by `extension` (given with its dot)."""
    if path is None:
        return None
    directory, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return f"{directory}{slash}{stem}{extension}"
