"""One kind of cached files: a record each, and for most of them a file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.caches.files import keep_alive, write_small
from engine.caches.labels import Labels
from engine.caches.locks import exclusive
from engine.caches.purges import Purges
from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline

RECORD_SUFFIX = ".json"
LOCK_SUFFIX = ".lock"


class Miss(msgspec.Struct, frozen=True):
    """Why there is no file, and until when that is taken as known. Times in seconds since the epoch.

    `left_alone`: nobody was asked, since the host failed too often lately. `passing`: it says something about this
    moment only, and is not written down.
    """

    kind: FailureKind
    details: str
    created: float
    expires: float
    left_alone: bool = False
    passing: bool = False

    @classmethod
    def of(cls, failure: LookupFailure, seconds: float, began: float | None = None) -> Miss:
        """`began`: when the work began that failed; now if not given. A purge meanwhile is about this miss too."""
        created = time.time() if began is None else began
        return cls(failure.kind, failure.details, created, created + seconds)


_NOTHING = msgspec.Raw(b"null")


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """Either a miss or the facts about the file, in the form that the caller chose; and what it belongs to.

    `created` is when the work began that led to it, in seconds since the epoch. What follows from several files
    belongs to the `others` too.
    """

    miss: Miss | None = None
    facts: msgspec.Raw = _NOTHING
    labels: Labels | None = None
    created: float = 0.0
    others: tuple[Labels, ...] = ()

    @property
    def owners(self) -> tuple[Labels, ...]:
        """Everything that it belongs to."""
        return (self.labels, *self.others) if self.labels else self.others


_decoder = msgspec.json.Decoder(Record)


def decode_record(content: bytes) -> Record | None:
    """What a record file says; None when it cannot be read."""
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files of one kind below `<root>/<kind>/<version>/<aa>/<key>`, unused ones forgotten after `idle_seconds`.

    What `purges` cover counts as unknown.
    """

    root: Path
    kind: str
    version: str
    idle_seconds: float
    purges: Purges | None = None

    def path(self, key: str) -> Path:
        return Path(self._name(key))

    def read(self, key: str) -> Miss | msgspec.Raw | None:
        """The unexpired miss, or the facts; None when nothing is known or what was known cannot be read."""
        path = self._name(key) + RECORD_SUFFIX
        try:
            with open(path, "rb") as file:
                modified = os.fstat(file.fileno()).st_mtime
                record = decode_record(file.read())
        except OSError:
            return None
        if record is None or (self.purges and self.purges.cover_any(record.owners, record.created)):
            return None
        now = time.time()
        if record.miss is not None:
            return record.miss if record.miss.created <= now < record.miss.expires else None
        if bytes(record.facts) == b"null" or now - modified > self.idle_seconds:
            return None
        keep_alive(path, modified)
        return record.facts

    def write_miss(self, key: str, miss: Miss, labels: Labels | None = None) -> None:
        """Remember a failure, and forget the file that was there before."""
        self._write(key, Record(miss, labels=labels, created=miss.created))
        with suppress(FileNotFoundError):
            self.path(key).unlink()

    def write_facts(
        self, key: str, facts: bytes, labels: Labels | None = None, *, created: float | None = None
    ) -> None:
        """Remember what is known of a file; `facts` is JSON. The file itself is published before.

        `created` is when fetching or making it began.
        """
        self._write(key, Record(None, msgspec.Raw(facts), labels, time.time() if created is None else created))

    def write_answer(self, key: str, facts: bytes, labels: Sequence[Labels], *, created: float) -> None:
        """Remember what follows from several files, unless it cannot be written; `facts` is JSON."""
        with suppress(OSError):
            self._write(key, Record(None, msgspec.Raw(facts), labels[0], created, tuple(labels[1:])))

    def keep(self, key: str) -> None:
        """Mark what is known of a file as used."""
        path = self._name(key) + RECORD_SUFFIX
        with suppress(OSError):
            keep_alive(path, os.stat(path).st_mtime)

    def label(self, key: str, labels: Labels) -> None:
        """Say what a file without facts belongs to."""
        self._write(key, Record(labels=labels, created=time.time()))

    def forget(self, key: str) -> None:
        """Remove file and record."""
        for path in (self._record_path(key), self.path(key)):
            with suppress(FileNotFoundError):
                path.unlink()

    @contextmanager
    def exclusive(self, key: str, deadline: Deadline) -> Iterator[Path]:
        """Be the only one on this host who makes the file; gives its path. Raises DeadlineExceeded."""
        path = self.path(key)
        with exclusive(path.with_name(path.name + LOCK_SUFFIX), deadline):
            yield path

    def _name(self, key: str) -> str:
        return f"{self.root}/{self.kind}/{self.version}/{key[:2]}/{key}"

    def _record_path(self, key: str) -> Path:
        return Path(self._name(key) + RECORD_SUFFIX)

    def _write(self, key: str, record: Record) -> None:
        write_small(self._record_path(key), msgspec.json.encode(record))
