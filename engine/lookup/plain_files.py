"""Fetched files that no native code opens: kept as they are, believed by their digest."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from engine.caches import Draft, Labels, Miss, Shelf, keep_alive, publish
from engine.formats.bytewise import mapped
from engine.formats.decompress import decompress
from engine.lookup.bounded import Bounded
from engine.lookup.misses import made_or_missed
from engine.outgoing import Deadline


class PlainFacts(msgspec.Struct, frozen=True):
    digest: str


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A file on disk and the hex digest of its content."""

    path: Path
    identity: str


@dataclass(frozen=True, slots=True)
class Errand:
    """How one file is had: under which key and labels it is kept, and who fetches it.

    `check` raises FormatError for content that is of no use; `unpack` undoes one layer of compression. Files have
    at most `max_bytes`.
    """

    key: str
    labels: Labels
    fetch: Callable[[BinaryIO], None]
    max_bytes: int
    check: Callable[[memoryview], object] | None = None
    unpack: bool = False


_decoder = msgspec.json.Decoder(PlainFacts)


def obtain_plain(shelf: Shelf, errand: Errand, deadline: Deadline) -> PlainFile | Miss:
    """The file, fetched unless it is known, one process at a time. Raises OSError and DeadlineExceeded."""
    found = _known(shelf, errand.key)
    if found is not None:
        return found
    with shelf.exclusive(errand.key, deadline) as path:
        found = _known(shelf, errand.key)
        if found is not None:
            return found
        return made_or_missed(shelf, errand.key, errand.labels, lambda: _fetch(shelf, errand, path))


def _known(shelf: Shelf, key: str) -> PlainFile | Miss | None:
    """What is known of a file. One that is not what it was when it came counts as unknown."""
    found = shelf.read(key)
    if found is None or isinstance(found, Miss):
        return found
    path = shelf.path(key)
    try:
        digest = _decoder.decode(found).digest
        if _digest(path) != digest:
            return None
        keep_alive(path, path.stat().st_mtime)
    except (msgspec.DecodeError, FileNotFoundError):
        return None
    return PlainFile(path, digest)


def _fetch(shelf: Shelf, errand: Errand, path: Path) -> PlainFile:
    began = time.time()
    with Draft(path) as raw, Draft(path) as unpacked:
        # Sources only write, seek and truncate, and so does who unpacks.
        errand.fetch(cast(BinaryIO, Bounded(raw, errand.max_bytes)))
        raw.file.flush()
        packed = errand.unpack and decompress(raw.file, cast(BinaryIO, unpacked), max_bytes=errand.max_bytes)
        finished = unpacked if packed else raw
        finished.file.flush()
        if errand.check is not None:
            errand.check(mapped(finished.file))
        file = PlainFile(path, _digest(finished.path))
        publish(finished.path, path)
    shelf.write_facts(errand.key, msgspec.json.encode(PlainFacts(file.identity)), errand.labels, created=began)
    return file


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
