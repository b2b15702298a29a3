"""What an uploaded file is: its objects with their ids, read from its content and never taken from its name alone.

Native objects are looked into by the converter's limited child; text formats are read here within bounds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final
from uuid import NAMESPACE_DNS, UUID, uuid5

import msgspec

from core.api import ApiError
from core.blobs import Incoming
from core.text import storable
from debugfiles.inspecting import Readable, inspected
from debugfiles.kinds import Identified, SymbolType
from engine.errors import FailureKind, LookupFailure
from engine.formats.bcsymbolmap import HEADER as BCSYMBOLMAP_HEADER
from engine.formats.bytewise import FormatError, mapped
from engine.formats.source_bundle import MAGIC as BUNDLE_MAGIC
from engine.formats.uuid_map import original_uuid
from engine.modules import DebugId

# The lookup reads maps whole and takes none that is larger.
MAX_MAP_BYTES: Final = 128 << 20
_HEAD_BYTES: Final = 256 << 10
_PROGUARD_RECORDS: Final = 50
_PROGUARD_NAMESPACE: Final = uuid5(NAMESPACE_DNS, "guardsquare.com")
_CLASS: Final = re.compile(rb"[^\s#].* -> [^\s:]+:")
_MEMBER: Final = re.compile(rb"\s+[^\s#].* -> \S+")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}")
_PIECE: Final = 1 << 20


class _Il2cpp(msgspec.Struct):
    debug_id: str | None = msgspec.field(default=None, name="__debug-id__")


@dataclass(frozen=True, slots=True)
class Offered:
    """A file: its content, the name it has, and the debug id that somebody gives it."""

    incoming: Readable
    name: str
    debug_id: DebugId | None = None


@dataclass(frozen=True, slots=True)
class Upload(Offered):
    """A file that came in, under the name and with the debug id that it was sent with."""

    incoming: Incoming


def identify(upload: Offered) -> tuple[Identified, ...]:
    """The objects of the file, at least one.

    Raises ApiError (400) that names the file and says why it is of no use, or (503) when nobody could look.
    """
    try:
        with open(upload.incoming.path, "rb") as file:
            head = file.read(_HEAD_BYTES)
        return _reader_of(head)(upload)
    except LookupFailure as failure:
        raise refusal(upload.name, failure) from None


def refusal(name: str, failure: LookupFailure) -> ApiError:
    """Why a file is not taken, in words that name it."""
    reason = failure.details or "its format is not known"
    if failure.kind is FailureKind.TOO_LARGE:
        return ApiError(f"{shown_name(name)}: too large to be read: {reason}", code="too_large", field="file")
    return ApiError(f"{shown_name(name)}: not a debug file that can be read: {reason}", code="malformed", field="file")


def shown_name(name: str) -> str:
    """The last part of a file's name, as answers repeat it."""
    return storable(PurePosixPath(name.replace("\\", "/")).name)[:200] or "the file"


def proguard_uuid(incoming: Readable) -> UUID:
    """The UUID that a ProGuard mapping has by its content: version 5, as Sentry's and Google's tools make it."""
    digest = hashlib.sha1(_PROGUARD_NAMESPACE.bytes, usedforsecurity=False)
    with open(incoming.path, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return UUID(bytes=digest.digest()[:16], version=5)


def _reader_of(head: bytes) -> Callable[[Offered], tuple[Identified, ...]]:
    start = head[:16].lstrip()
    if not head:
        return _empty
    if head.startswith(BCSYMBOLMAP_HEADER.partition(b":")[0]):
        return _bcsymbolmap
    if start.startswith((b"<?xml", b"bplist00", b"<plist")):
        return _uuid_map
    if start.startswith(b"{"):
        return _il2cpp
    if not head.startswith(BUNDLE_MAGIC) and is_proguard(head):
        return _proguard
    return _native


def is_proguard(head: bytes) -> bool:
    """Whether a class with a member is among the first 50 records of a text."""
    records = (line for line in head.splitlines() if line.strip() and not line.lstrip().startswith(b"#"))
    in_class = False
    for _, line in zip(range(_PROGUARD_RECORDS), records, strict=False):
        if _CLASS.fullmatch(line.rstrip()):
            in_class = True
        elif in_class and _MEMBER.fullmatch(line.rstrip()):
            return True
    return False


def _empty(upload: Offered) -> tuple[Identified, ...]:
    raise FormatError("it is empty")


def _native(upload: Offered) -> tuple[Identified, ...]:
    found = inspected(upload.incoming)
    if upload.debug_id is not None and len(found) == 1 and found[0].debug_id is None:
        found = (replace(found[0], debug_id=upload.debug_id),)
    usable = tuple(item for item in found if item.debug_id is not None or item.code_id)
    if not usable:
        raise FormatError("it has neither a debug id nor a code id, so nothing could ever ask for it")
    return usable


def _proguard(upload: Offered) -> tuple[Identified, ...]:
    debug_id = upload.debug_id or DebugId(proguard_uuid(upload.incoming))
    return (_text(upload, SymbolType.PROGUARD, debug_id),)


def _bcsymbolmap(upload: Offered) -> tuple[Identified, ...]:
    with open(upload.incoming.path, "rb") as file:
        if file.readline(100).rstrip() != BCSYMBOLMAP_HEADER:
            raise FormatError("not a BCSymbolMap of version 2.0")
    return (_text(upload, SymbolType.BCSYMBOLMAP, _named_id(upload)),)


def _uuid_map(upload: Offered) -> tuple[Identified, ...]:
    with open(upload.incoming.path, "rb") as file:
        original_uuid(mapped(file))
    return (_text(upload, SymbolType.UUID_MAP, _named_id(upload)),)


def _il2cpp(upload: Offered) -> tuple[Identified, ...]:
    _check_size(upload)
    with open(upload.incoming.path, "rb") as file:
        content = file.read()
    try:
        own = msgspec.json.decode(content, type=_Il2cpp).debug_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormatError("it is not an IL2CPP line mapping") from None
    debug_id = upload.debug_id or (DebugId.parse(own) if own else None)
    if debug_id is None:
        raise FormatError("this JSON names no `__debug-id__`; give the debug id as debug_id")
    return (_text(upload, SymbolType.IL2CPP, debug_id),)


def _named_id(upload: Offered) -> DebugId:
    """Of formats that do not name their own id, the name of the file does."""
    if upload.debug_id is not None:
        return upload.debug_id
    found = _UUID.search(shown_name(upload.name))
    debug_id = DebugId.parse(found[0]) if found else None
    if debug_id is None:
        raise FormatError("its name must be the UUID that it belongs to, or give the id as debug_id")
    return debug_id


def _text(upload: Offered, symbol_type: SymbolType, debug_id: DebugId) -> Identified:
    if symbol_type is not SymbolType.PROGUARD:
        _check_size(upload)
    return Identified.whole(upload.incoming.size, symbol_type, debug_id)


def _check_size(upload: Offered) -> None:
    if upload.incoming.size > MAX_MAP_BYTES:
        raise LookupFailure(FailureKind.TOO_LARGE, f"such a file may have {MAX_MAP_BYTES} bytes")
