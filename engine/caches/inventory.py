"""How much of a cache belongs to whom, and removing what was selected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.caches.labels import Selection
from engine.caches.purges import Purges
from engine.caches.shelf import RECORD_SUFFIX, Record, decode_record
from engine.caches.walk import Found, walk


@dataclass(slots=True)
class Usage:
    """`files` that are there, `misses`: places known to have none, and the bytes that both take on the disk."""

    files: int = 0
    misses: int = 0
    bytes: int = 0

    def count(self, entry: Entry) -> None:
        self.files += entry.has_file
        self.misses += entry.miss
        self.bytes += entry.bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a shelf: its file, its record, or both."""

    kind: str
    path: str
    bytes: int
    has_file: bool
    miss: bool
    created: float


def usage(root: Path, selection: Selection) -> dict[str, Usage]:
    """What is selected, by kind, sorted."""
    found: dict[str, Usage] = {}
    for entry in entries(root, selection):
        found.setdefault(entry.kind, Usage()).count(entry)
    return dict(sorted(found.items()))


def purge(root: Path, selection: Selection) -> Usage:
    """Have all processes of the host forget what is selected, and remove it; what was removed.

    What is fetched while this runs stays.
    """
    at = Purges(root).add(selection)
    removed = Usage()
    for entry in entries(root, selection):
        if entry.created <= at:
            removed.count(entry)
            for path in (entry.path + RECORD_SUFFIX, entry.path):
                with suppress(FileNotFoundError):
                    os.unlink(path)
    return removed


def entries(root: Path, selection: Selection) -> Iterator[Entry]:
    """The selected keys. Files that do not say what they belong to are found by no selection but that of all."""
    for pair in _pairs(root):
        record = _record(pair)
        if selection.everything or (record is not None and any(map(selection.matches, record.owners))):
            yield _entry(pair, record)


def _pairs(root: Path) -> Iterator[list[Found]]:
    """The files of each key; those of one directory come together, so few are held at a time."""
    directory, pairs = "", dict[str, list[Found]]()
    for file in walk(root):
        if file.temporary or file.lock:
            continue
        here = os.path.dirname(file.path)
        if here != directory:
            yield from pairs.values()
            directory, pairs = here, {}
        pairs.setdefault(file.path.removesuffix(RECORD_SUFFIX), []).append(file)
    yield from pairs.values()


def _record(pair: list[Found]) -> Record | None:
    for file in pair:
        if file.record:
            with suppress(FileNotFoundError):
                return decode_record(Path(file.path).read_bytes())
    return None


def _entry(pair: list[Found], record: Record | None) -> Entry:
    return Entry(
        kind=pair[0].kind,
        path=pair[0].path.removesuffix(RECORD_SUFFIX),
        bytes=sum(file.size for file in pair),
        has_file=any(not file.record for file in pair),
        miss=record is not None and record.miss is not None,
        created=record.created if record else 0.0,
    )
