"""Scripts and maps that came as single files, as an artifact bundle: they are found by their debug ids from there."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any, Final, Self, cast

import msgspec

from core.blobs import Incoming
from debugfiles.bundles import MANIFEST
from engine.javascript.artifacts import Kind
from engine.modules import DebugId

_HEADER: Final = b"SYSB" + struct.pack("<I", 2)
# The same files make the same bundle, so that it is stored once.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_FOLDERS: Final = {Kind.SOURCE_MAP: "maps", Kind.MINIFIED_SOURCE: "scripts"}


class _Sink:
    """An upload as the archive's writer wants it: written from start to end."""

    def __init__(self, target: Incoming) -> None:
        self.write: Callable[[bytes], int] = target.write

    def flush(self) -> None:
        """Whoever finishes the upload does."""


class BundleWriter:
    """Writes a bundle into `target`, used with `with`. `finish` completes it; what is not finished is no bundle."""

    def __init__(self, target: Incoming) -> None:
        target.write(_HEADER)
        self._sink = _Sink(target)
        self._archive = zipfile.ZipFile(cast(Any, self._sink), "w", zipfile.ZIP_DEFLATED)
        self._files: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        # The archive's writer completes it whenever it is let go, also when nobody wants it any more.
        self._sink.write = len
        self._archive.close()

    def add(self, name: str, kind: Kind, debug_id: DebugId, pieces: Iterable[bytes]) -> None:
        """A file of the build, found by `debug_id` as what `kind` says. One that is there already is passed over."""
        base = PurePosixPath(name.replace("\\", "/")).name
        path = f"{_FOLDERS[kind]}/{debug_id}/{base}"
        if path in self._files:
            return
        self._files[path] = {"type": kind.value, "url": f"~/{base}", "headers": {"debug-id": str(debug_id)}}
        self._write(path, pieces)

    def finish(self) -> None:
        """Write the manifest and the archive's directory."""
        self._write(MANIFEST, [msgspec.json.encode({"files": self._files})])
        self._archive.close()

    def _write(self, path: str, pieces: Iterable[bytes]) -> None:
        facts = zipfile.ZipInfo(path, _DATE)
        facts.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(facts, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
