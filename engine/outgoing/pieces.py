"""Fetch one file in pieces: several at a time when it is big, and from where it stopped when a connection breaks.

Nothing is pieced together unless every answer says the same length and the same entity tag (or date), and names
exactly the bytes that were asked for. A server that says anything else is asked for the whole file at once.
"""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import BinaryIO

from engine.outgoing.deadline import Deadline
from engine.outgoing.failures import unreachable
from engine.outgoing.reply import Opener, Part, PartRefused, Reply

PIECE_BYTES = 128 << 20
PARALLEL = 4
OK = 200
PARTIAL = 206


@dataclass(slots=True)
class Piece:
    """Bytes from `position`, the next one to come, up to `end` (exclusive; None when the end is not known)."""

    position: int
    end: int | None

    @property
    def done(self) -> bool:
        return self.end is not None and self.position == self.end


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first answer says about the file. Without a validator nothing can be continued."""

    total: int | None
    validator: str
    pieces: list[Piece]


class _Stopped(Exception):
    """Another piece of the same file failed."""


class Transfer:
    """One file on its way from `opener` to `target` (seekable), in as many attempts as the caller allows.

    An attempt that fails leaves what has arrived, and the next one goes on from there where that is safe.
    """

    def __init__(self, opener: Opener, target: BinaryIO) -> None:
        self._opener = opener
        self._target = target
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._begun: _Begun | None = None
        self._at_once = False

    def attempt(self, deadline: Deadline) -> None:
        """Bring the file to its end. Raises LookupFailure; the content of the target is of no use then."""
        try:
            self._advance(deadline)
        except PartRefused:
            self._at_once, self._begun = True, None
            try:
                self._advance(deadline)
            except PartRefused:
                raise unreachable("the server contradicts itself") from None

    def _advance(self, deadline: Deadline) -> None:
        self._stopping.clear()
        try:
            if self._begun is None:
                self._begin(deadline)
            self._continue(deadline)
        finally:
            if self._begun is not None and not self._begun.validator:
                self._begun = None

    def _begin(self, deadline: Deadline) -> None:
        self._target.seek(0)
        self._target.truncate()
        part = None if self._at_once else Part(0, PIECE_BYTES - 1)
        with self._opener(part, deadline) as reply:
            self._begun = _begun(reply, part)
            self._reserve()
            self._receive(reply, self._begun.pieces[0])

    def _reserve(self) -> None:
        """Make a file that is larger than allowed fail now, and not after hours."""
        total = self._begun.total if self._begun else None
        if total is not None and total > PIECE_BYTES:
            self._target.seek(total - 1)
            self._target.write(b"\0")

    def _continue(self, deadline: Deadline) -> None:
        begun = self._begun
        missing = [piece for piece in begun.pieces if piece.end is not None and not piece.done] if begun else []
        if begun is None or not missing:
            return
        with ThreadPoolExecutor(min(PARALLEL, len(missing)), "download-piece") as pool:
            futures = [pool.submit(self._fetch, piece, begun, deadline) for piece in missing]
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                self._stopping.set()
                pool.shutdown(wait=False, cancel_futures=True)
        _raise_first(futures)

    def _fetch(self, piece: Piece, begun: _Begun, deadline: Deadline) -> None:
        if piece.end is None or self._stopping.is_set():
            raise _Stopped
        part = Part(piece.position, piece.end - 1, begun.validator)
        with self._opener(part, deadline) as reply:
            if not _continues(reply, part, begun):
                raise PartRefused
            self._receive(reply, piece)

    def _receive(self, reply: Reply, piece: Piece) -> None:
        for chunk in reply.chunks():
            if piece.end is not None and piece.position + len(chunk) > piece.end:
                raise PartRefused
            if self._stopping.is_set():
                raise _Stopped
            with self._lock:
                self._target.seek(piece.position)
                self._target.write(chunk)
            piece.position += len(chunk)
        if piece.end is not None and not piece.done:
            raise unreachable("the connection broke off")


def _begun(reply: Reply, part: Part | None) -> _Begun:
    """How to go on after the first answer. Raises PartRefused when only the whole file at once will do."""
    if reply.status == OK:
        total = None if reply.encoded else reply.length
        return _Begun(total, reply.validator if total is not None and part else "", [Piece(0, total)])
    given = reply.range
    if part is None or given is None or given.first != 0 or given.last > part.last:
        raise PartRefused
    complete = given.last + 1 == given.total
    if not complete and (reply.encoded or not reply.validator):
        raise PartRefused
    if reply.encoded:
        return _Begun(None, "", [Piece(0, None)])
    return _Begun(given.total, reply.validator, [Piece(0, given.last + 1), *_rest(given.last + 1, given.total)])


def _rest(start: int, total: int) -> list[Piece]:
    return [Piece(first, min(first + PIECE_BYTES, total)) for first in range(start, total, PIECE_BYTES)]


def _continues(reply: Reply, part: Part, begun: _Begun) -> bool:
    """Whether an answer is exactly the part that was asked for, of the very file that was begun."""
    given = reply.range
    if reply.status != PARTIAL or given is None or reply.encoded:
        return False
    asked = (part.first, part.last, begun.total)
    return (given.first, given.last, given.total) == asked and reply.validator == begun.validator


def _raise_first(futures: list[Future[None]]) -> None:
    """What went wrong with the pieces: a contradiction before anything else, and a piece that was stopped last."""
    problems = [future.exception() for future in futures if not future.cancelled()]
    ranks: dict[type[BaseException], int] = {PartRefused: 0, _Stopped: 2}
    found = sorted((problem for problem in problems if problem), key=lambda problem: ranks.get(type(problem), 1))
    if found:
        raise found[0]
