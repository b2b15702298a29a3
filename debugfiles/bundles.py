"""Artifact bundles: `SYSB`, a version, then a ZIP archive whose `manifest.json` says which member is served as what."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from core.text import storable
from debugfiles.models import DIST_LENGTH, KEY_BYTES, URL_LENGTH, VERSION_LENGTH
from engine.formats.bytewise import FormatError, mapped
from engine.formats.packed.zip import ZipArchive
from engine.modules import DebugId

MANIFEST: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 64 << 20
MAX_FILES: Final = 100_000
MAX_MEMBER_BYTES: Final = 1 << 30
_DEBUG_ID: Final = "debug-id"
_BUNDLE_ID: Final = 64


class _File(msgspec.Struct):
    type: str | None = None
    url: str | None = None
    headers: dict[str, str] | None = None


class _Manifest(msgspec.Struct):
    files: dict[str, _File] = {}
    release: Any = None
    dist: Any = None
    debug_id: Any = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a bundle: its debug id, what it is (`minified_source`, say), the URL it is served under."""

    debug_id: UUID | None
    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle says of itself; texts are empty where it says nothing."""

    bundle_id: str
    release: str
    dist: str
    entries: tuple[Entry, ...]


def read_bundle(path: Path) -> Contents:
    """The contents of a bundle on disk, from its manifest alone; no member but that is unpacked.

    Raises FormatError for an archive or manifest that is broken, and for more than 100,000 files.
    """
    with open(path, "rb") as file:
        archive = ZipArchive(mapped(file))
    manifest = _manifest(archive)
    if not manifest.files:
        raise FormatError("its manifest lists no files")
    if len(manifest.files) > MAX_FILES:
        raise FormatError(f"its manifest lists more than {MAX_FILES} files")
    entries = tuple(_entry(archive, name, file) for name, file in manifest.files.items())
    return Contents(
        bundle_id=_uuid_text(manifest.debug_id),
        release=_text(manifest.release, "release", VERSION_LENGTH),
        dist=_text(manifest.dist, "dist", DIST_LENGTH),
        entries=entries,
    )


def text_key(text: str) -> bytes:
    """16 bytes that stand for a text of any length in an index."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def file_name(url: str) -> str:
    """The last part of a URL's path."""
    return url.partition("?")[0].partition("#")[0].rpartition("/")[2]


def _manifest(archive: ZipArchive) -> _Manifest:
    member = archive.members.get(MANIFEST)
    if member is None:
        raise FormatError("it has no manifest.json; was it made by `sentry-cli sourcemaps upload` or a bundler plugin?")
    content = archive.read(member, max_bytes=MAX_MANIFEST_BYTES)
    try:
        return msgspec.json.decode(content, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormatError("its manifest.json is not valid") from None


def _entry(archive: ZipArchive, name: str, file: _File) -> Entry:
    member = archive.members.get(name)
    if member is None:
        raise FormatError(f"its manifest lists {_quoted(name)}, which is not in it")
    if member.size > MAX_MEMBER_BYTES:
        raise FormatError(f"{_quoted(name)} has more than {MAX_MEMBER_BYTES} bytes")
    url = storable(file.url or "")
    if len(url) > URL_LENGTH:
        raise FormatError(f"the URL of {_quoted(name)} is too long")
    headers = {key.lower(): value for key, value in (file.headers or {}).items()}
    debug_id = DebugId.parse(headers.get(_DEBUG_ID, ""))
    return Entry(None if debug_id is None else debug_id.uuid, storable(file.type or "")[:24], url)


def _quoted(name: str) -> str:
    return f"`{storable(name)[:200]}`"


def _text(value: object, field: str, longest: int) -> str:
    if not isinstance(value, str):
        return ""
    if len(value) > longest:
        raise FormatError(f"its {field} has more than {longest} characters")
    return storable(value)


def _uuid_text(value: object) -> str:
    debug_id = DebugId.parse(value) if isinstance(value, str) else None
    return "" if debug_id is None else str(debug_id)[:_BUNDLE_ID]
