"""Artifact bundles: scripts and their maps, packed by the tools that build them.

`SYSB`, usually a version of 32 bits, then a ZIP archive: its `manifest.json` has URL, kind and headers of the members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.formats.bytewise import FormatError, mapped, viewed
from engine.formats.packed.zip import Member, ZipArchive
from engine.formats.source_bundle import MAGIC, MANIFEST
from engine.javascript.artifacts import Kind
from engine.modules import DebugId

MAX_MANIFEST_BYTES = 64 << 20
MAX_FILES = 200_000
# Memory that a bundle's index takes for each member of the archive, and for the archive as such.
_MEMBER_BYTES = 900
_BUNDLE_BYTES = 20_000
_DEBUG_ID = "debug-id"


class _File(msgspec.Struct):
    type: str | None = None
    url: str | None = None
    headers: dict[str, str] | None = None


class _Manifest(msgspec.Struct):
    files: dict[str, _File] = {}


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A member of the archive; header names are lower case. `kind` is None for members of other kinds than ours."""

    path: str
    kind: Kind | None
    headers: Mapping[str, str]


class ArtifactBundle:
    """One bundle, read in place: `data` has to stay as it is while this lives."""

    def __init__(self, data: memoryview) -> None:
        """FormatError when it is no bundle, or the archive's directory or the manifest is broken."""
        view = viewed(data)
        if view[:4] != MAGIC:
            raise FormatError("not an artifact bundle")
        self._archive = ZipArchive(view)
        manifest = self._read_manifest()
        if len(manifest.files) > MAX_FILES:
            raise FormatError(f"the artifact bundle lists more than {MAX_FILES} files")
        self._by_url: dict[str, BundledFile] = {}
        self._by_id: dict[tuple[DebugId, Kind], BundledFile] = {}
        for path, file in manifest.files.items():
            self._add(path, file)

    @property
    def memory(self) -> int:
        """What the index takes, in bytes."""
        return _BUNDLE_BYTES + _MEMBER_BYTES * len(self._archive.members)

    def find_id(self, debug_id: DebugId, kind: Kind) -> BundledFile | None:
        return self._by_id.get((debug_id, kind))

    def find_url(self, url: str) -> BundledFile | None:
        return self._by_url.get(url)

    def content(self, file: BundledFile, *, max_bytes: int) -> bytes:
        """The content of a file. FormatError when it is broken, missing from the archive, or larger than allowed."""
        member = self._archive.members.get(file.path)
        if member is None:
            raise FormatError("the artifact bundle lacks a file that its manifest lists")
        return self._archive.read(member, max_bytes=max_bytes)

    def size(self, file: BundledFile) -> int:
        """How many bytes the content has, as the archive's directory says; 0 for a file that is not there."""
        member: Member | None = self._archive.members.get(file.path)
        return member.size if member else 0

    def _add(self, path: str, file: _File) -> None:
        headers = {name.lower(): value for name, value in (file.headers or {}).items()}
        kind = Kind.SOURCE if file.type is None else Kind(file.type) if file.type in _KINDS else None
        found = BundledFile(path, kind, headers)
        if file.url:
            self._by_url.setdefault(file.url, found)
        debug_id = DebugId.parse(headers.get(_DEBUG_ID, ""))
        if debug_id is not None and kind is not None and file.type is not None:
            self._by_id.setdefault((debug_id, kind), found)

    def _read_manifest(self) -> _Manifest:
        member = self._archive.members.get(MANIFEST)
        if member is None:
            raise FormatError("the artifact bundle has no manifest")
        text = self._archive.read(member, max_bytes=MAX_MANIFEST_BYTES)
        try:
            return msgspec.json.decode(text, type=_Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise FormatError("the manifest of the artifact bundle is not valid") from None


_KINDS = frozenset(Kind)


def open_bundle(path: Path) -> ArtifactBundle:
    """The reader of a bundle on disk; it keeps the file mapped. Raises FormatError and OSError."""
    with open(path, "rb") as file:
        return ArtifactBundle(mapped(file))
