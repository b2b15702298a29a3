"""Waiting for an answer that another process may be computing."""

from __future__ import annotations

import threading
import time
from typing import Final
from uuid import UUID

from core.database import release
from symbolication import pending
from symbolication.jobs import INTERNAL_ERROR_ANSWER, TIMEOUT_ANSWER
from symbolication.pending import Seen, State

# Waiting takes a thread of the web process. Above this number a question is answered at once, as with `timeout=0`.
WAITING_AT_MOST: Final = 32
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 1.0

_waiting = threading.BoundedSemaphore(WAITING_AT_MOST)


def await_answer(request_id: UUID, organization_id: int | None, seconds: float | None) -> Seen:
    """What is known of a request once it has ended, or after `seconds` (None: for as long as it runs).

    The thread holds no database connection while it waits, nor afterwards.
    """
    seen = _read(request_id, organization_id)
    if seen.state != State.RUNNING or not _waiting.acquire(blocking=False):
        return seen
    try:
        end = None if seconds is None else time.monotonic() + seconds
        return _poll(request_id, organization_id, end)
    finally:
        _waiting.release()


def _read(request_id: UUID, organization_id: int | None) -> Seen:
    try:
        return pending.read(request_id, organization_id)
    finally:
        release()


def _poll(request_id: UUID, organization_id: int | None, end: float | None) -> Seen:
    pause = _FIRST_PAUSE
    while True:
        seen = _read(request_id, organization_id)
        left = None if end is None else end - time.monotonic()
        if seen.state != State.RUNNING or (left is not None and left <= 0):
            return seen
        time.sleep(pause if left is None else min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def answer_of(seen: Seen) -> bytes | None:
    """The body that a state is told with; None for one that has no answer yet or any more."""
    if seen.state == State.FINISHED:
        return seen.result
    return {State.TIMEOUT: TIMEOUT_ANSWER, State.ABANDONED: INTERNAL_ERROR_ANSWER}.get(seen.state)
