"""Source bundles: source files packed by Sentry's tools for one debug file.

`SYSB`, a version of 32 bits, then a ZIP archive whose `manifest.json` tells which member holds which source file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from engine.formats.bytewise import Cursor, Data, FormatError, viewed
from engine.formats.packed.zip import ZipArchive
from engine.formats.source_links import SourceLinks
from engine.modules import DebugId

MAGIC = b"SYSB"
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 64 << 20
MAX_SOURCE_BYTES = 32 << 20
_SOURCE = "source"


class _File(msgspec.Struct):
    type: str | None = None
    path: str | None = None
    url: str | None = None
    headers: dict[str, str] | None = None


class _Manifest(msgspec.Struct):
    files: dict[str, _File] = {}
    source_links: dict[str, str] | None = None
    debug_id: Any = None


@dataclass(frozen=True, slots=True)
class BundledSource:
    """What a bundle knows of a file: its text (as stored, usually UTF-8), or only its URL, or both."""

    content: bytes | None
    url: str | None


class SourceBundle:
    """One bundle, read in place: `data` has to stay as it is while this lives."""

    def __init__(self, data: Data) -> None:
        """FormatError when the header, the archive's directory or the manifest is broken."""
        view = viewed(data)
        head = Cursor(view, "the source bundle")
        if head.take(4) != MAGIC:
            raise FormatError("not a source bundle")
        self.version = head.u32()
        self._archive = ZipArchive(view)
        manifest = self._read_manifest()
        self.debug_id = DebugId.parse(manifest.debug_id) if isinstance(manifest.debug_id, str) else None
        self._files = {_slashed(file.path): (name, file.url) for name, file in manifest.files.items() if _wanted(file)}
        self._by_url = {file.url: name for name, file in manifest.files.items() if file.url and _is_source(file)}
        self._links = SourceLinks(manifest.source_links or {})

    @property
    def has_sources(self) -> bool:
        return bool(self._files) or bool(self._links)

    @property
    def has_links(self) -> bool:
        """Whether it tells a URL for some file."""
        return bool(self._links) or any(url for _, url in self._files.values())

    def find(self, path: str) -> BundledSource | None:
        """The source file that the debug file calls `path`, `\\` and `/` being the same; None when unknown.

        Without such a file, the bundle's source links may still tell its URL. Raises FormatError when the file is
        broken, missing from the archive, or exceeds 32 MiB.
        """
        name, url = self._files.get(_slashed(path), (None, None))
        if name is not None:
            return BundledSource(self._content(name), url or self._links.find(path))
        url = self._links.find(path)
        return BundledSource(None, url) if url else None

    def find_url(self, url: str) -> bytes | None:
        """The source file at exactly this URL; None when unknown. Raises FormatError as `find` does."""
        name = self._by_url.get(url)
        return None if name is None else self._content(name)

    def _content(self, name: str) -> bytes:
        member = self._archive.members.get(name)
        if member is None:
            raise FormatError("the source bundle lacks a file that its manifest lists")
        return self._archive.read(member, max_bytes=MAX_SOURCE_BYTES)

    def _read_manifest(self) -> _Manifest:
        member = self._archive.members.get(MANIFEST)
        if member is None:
            raise FormatError("the source bundle has no manifest")
        text = self._archive.read(member, max_bytes=MAX_MANIFEST_BYTES)
        try:
            return msgspec.json.decode(text, type=_Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise FormatError("the manifest of the source bundle is not valid") from None


def _wanted(file: _File) -> bool:
    return bool(file.path) and _is_source(file)


def _is_source(file: _File) -> bool:
    return file.type in (None, _SOURCE)


def _slashed(path: str | None) -> str:
    return (path or "").replace("\\", "/")
