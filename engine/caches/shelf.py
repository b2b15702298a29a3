"""One kind of cached files: a record each, and for most of them a file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.caches.files import keep_alive, write_small
from engine.caches.locks import exclusive
from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline

RECORD_SUFFIX = ".json"
LOCK_SUFFIX = ".lock"


class Miss(msgspec.Struct, frozen=True):
    """Why there is no file, and until when that is taken as known. Times in seconds since the epoch."""

    kind: FailureKind
    details: str
    created: float
    expires: float

    @classmethod
    def of(cls, failure: LookupFailure, seconds: float) -> Miss:
        now = time.time()
        return cls(failure.kind, failure.details, now, now + seconds)


_NOTHING = msgspec.Raw(b"null")


class _Record(msgspec.Struct, frozen=True):
    """Either a miss or the facts about the file, in the form that the caller chose."""

    miss: Miss | None = None
    facts: msgspec.Raw = _NOTHING


_decoder = msgspec.json.Decoder(_Record)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Files of one kind below `<root>/<kind>/<version>/<aa>/<key>`, unused ones forgotten after `idle_seconds`."""

    root: Path
    kind: str
    version: str
    idle_seconds: float

    def path(self, key: str) -> Path:
        return Path(self._name(key))

    def read(self, key: str) -> Miss | msgspec.Raw | None:
        """The unexpired miss, or the facts; None when nothing is known or what was known cannot be read."""
        path = self._name(key) + RECORD_SUFFIX
        try:
            with open(path, "rb") as file:
                modified = os.fstat(file.fileno()).st_mtime
                record = _decoder.decode(file.read())
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        now = time.time()
        if record.miss is not None:
            return record.miss if record.miss.created <= now < record.miss.expires else None
        if bytes(record.facts) == b"null" or now - modified > self.idle_seconds:
            return None
        keep_alive(path, modified)
        return record.facts

    def write_miss(self, key: str, miss: Miss) -> None:
        """Remember a failure, and forget the file that was there before."""
        self._write(key, _Record(miss=miss))
        with suppress(FileNotFoundError):
            self.path(key).unlink()

    def write_facts(self, key: str, facts: bytes) -> None:
        """Remember what is known of a file; `facts` is JSON. The file itself is published before."""
        self._write(key, _Record(facts=msgspec.Raw(facts)))

    def forget(self, key: str) -> None:
        """Remove file and record."""
        for path in (self._record_path(key), self.path(key)):
            with suppress(FileNotFoundError):
                path.unlink()

    @contextmanager
    def exclusive(self, key: str, deadline: Deadline) -> Iterator[Path]:
        """Be the only one on this host who makes the file; gives its path. Raises DeadlineExceeded."""
        path = self.path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(path.with_name(path.name + LOCK_SUFFIX), deadline):
            yield path

    def _name(self, key: str) -> str:
        return f"{self.root}/{self.kind}/{self.version}/{key[:2]}/{key}"

    def _record_path(self, key: str) -> Path:
        return Path(self._name(key) + RECORD_SUFFIX)

    def _write(self, key: str, record: _Record) -> None:
        write_small(self._record_path(key), msgspec.json.encode(record))
