"""Asking about modules once, however many requests want to know, and remembering the answer as long as it holds."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import suppress
from threading import Event, Lock
from typing import Generic, TypeVar

from engine.native.images import ImageIdentity
from engine.native.memory import TwoGenerations
from engine.outgoing import Deadline
from engine.run.question import Question

# What is remembered takes about as many bytes: mostly the rows of the places that were looked at.
_BYTES = 24 * 1024 * 1024
_ANSWER_BYTES = 3000
_ROW_BYTES = 1200
# How often the files of what is remembered are marked as used.
_LOOK_SECONDS = 60.0
Found = TypeVar("Found")


class _Flight(Generic[Found]):
    """A lookup that is under way; `result` is set when it ended well."""

    __slots__ = ("done", "result")

    def __init__(self) -> None:
        self.done = Event()
        self.result: Found | None = None


class _Entry(Generic[Found]):
    """What is remembered; `looked` is when its files were last looked at, in seconds since the epoch."""

    __slots__ = ("found", "looked")

    def __init__(self, found: Found) -> None:
        self.found = found
        self.looked = time.time()


class AskedOnce(ABC, Generic[Found]):
    """Answers by question and module. Subclasses say how to ask; `ask` must raise DeadlineExceeded and nothing else."""

    def __init__(self) -> None:
        self._known: TwoGenerations[tuple[str, str], _Entry[Found]] = TwoGenerations(_BYTES)
        self._flights: dict[tuple[str, str], _Flight[Found]] = {}
        self._lock = Lock()

    @abstractmethod
    def ask(self, question: Question, identity: ImageIdentity) -> Found:
        """Look a module up."""

    @abstractmethod
    def recalled(self, question: Question, identity: ImageIdentity) -> Found | None:
        """The answer, where the disk has it."""

    @abstractmethod
    def rows(self, found: Found) -> int:
        """How many places an answer tells of."""

    @abstractmethod
    def valid_until(self, found: Found) -> float:
        """How long an answer holds, in seconds since the epoch; 0 for one that is not to be remembered."""

    def known(self, question: Question, identity: ImageIdentity, now: float) -> Found | None:
        """What is remembered and still holds at `now`, in seconds since the epoch."""
        entry = self._known.get((question.key(identity), identity.key))
        if entry is None or self.valid_until(entry.found) <= now:
            return None
        if now - entry.looked > _LOOK_SECONDS:
            entry.looked = now
            self._look_after(question, identity)
        return entry.found

    def forget(self, question: Question, identity: ImageIdentity) -> None:
        self._known.drop((question.key(identity), identity.key))

    def recall(self, question: Question, identity: ImageIdentity) -> Found | None:
        """What the disk knows, without a thread and without waiting; None where somebody has to be asked."""
        try:
            found = self.recalled(question, identity)
        except Exception:  # noqa: BLE001 - whoever asks in earnest finds out what is wrong
            return None
        if found is not None:
            self._remember((question.key(identity), identity.key), found)
        return found

    def at_hand(self, question: Question, identity: ImageIdentity | None, now: float) -> Found | None:
        """What this process remembers and still holds at `now`, in seconds since the epoch, or the disk knows."""
        if identity is None:
            return None
        return self.known(question, identity, now) or self.recall(question, identity)

    def resolve(self, question: Question, identity: ImageIdentity) -> Found:
        """Look a module up, or wait for whoever is doing so. Raises DeadlineExceeded, and nothing else."""
        key = (question.key(identity), identity.key)
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    mine = self._flights[key] = _Flight()
                    break
            _wait(flight, question.deadline)
            if flight.result is not None:
                return flight.result
        return self._lead(mine, key, question, identity)

    def _remember(self, key: tuple[str, str], found: Found) -> None:
        size = _ANSWER_BYTES + _ROW_BYTES * self.rows(found) + len(key[0]) + len(key[1])
        self._known.put(key, _Entry(found), size)

    def _look_after(self, question: Question, identity: ImageIdentity) -> None:
        """Have the cache on disk know that a module is in use: else its files go while it is asked for all the time."""
        with suppress(Exception):
            self.recalled(question, identity)

    def _lead(self, flight: _Flight[Found], key: tuple[str, str], question: Question, identity: ImageIdentity) -> Found:
        try:
            found = self.known(question, identity, time.time())
            if found is None:
                found = self.ask(question, identity)
                if self.valid_until(found):
                    self._remember(key, found)
            flight.result = found
            return found
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()


def _wait(flight: _Flight[Found], deadline: Deadline) -> None:
    while not flight.done.wait(min(deadline.remaining(), 3600)):
        deadline.check()
