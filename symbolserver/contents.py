"""Files as they are sent, from wherever they lie: the store of uploads, the cache of other servers' files, a bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.utils import timezone

from core.blobs import blob_store
from core.database import release
from debugfiles.contents import TOUCH_EVERY, touch
from debugfiles.models import DebugFile
from engine.lookup.object_files import FetchedObject
from symbolserver.answers import Content
from symbolserver.selectors import StoredFile

PIECE_BYTES: Final = 1 << 20


def stored(file: StoredFile) -> Content:
    """An uploaded file, of a fat one that object."""

    def pieces(start: int, size: int) -> Iterator[bytes]:
        return blob_store().pieces(file.key, file.offset + start, size)

    return Content(file.object_name, file.size, f"{file.sha256}-{file.offset}", file.created_at, pieces)


def used(file: StoredFile) -> None:
    """Note that an uploaded file is used, once an hour; the database connection goes back."""
    if timezone.now() - file.last_used > TOUCH_EVERY:
        try:
            touch(DebugFile, [file.pk])
        finally:
            release()


def fetched(file: FetchedObject, name: str) -> Content:
    """A file of another server, from the cache; what is being sent stays readable while the cache drops it."""

    def pieces(start: int, size: int) -> Iterator[bytes]:
        return _read(file.path, file.offset + start, size)

    modified = datetime.fromtimestamp(file.fetched, UTC)
    return Content(name, file.size, f"{file.identity}-{file.offset}", modified, pieces)


def text(content: bytes, name: str, modified: datetime) -> Content:
    """A source file, which is small enough for memory."""

    def pieces(start: int, size: int) -> Iterator[bytes]:
        yield content[start : start + size]

    return Content(name, len(content), hashlib.sha256(content).hexdigest(), modified, pieces)


def _read(path: Path, start: int, size: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(start)
        while size > 0 and (piece := file.read(min(PIECE_BYTES, size))):
            yield piece
            size -= len(piece)
