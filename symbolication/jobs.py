"""One symbolication from its slot to its answer.

Without `timeout` it is computed by the thread that serves the request. With `timeout` it is computed by a thread of its
own while the request waits; only when the request stops waiting does it get a row that other processes can see.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import orjson
from django.db import Error

from core.database import release
from engine.errors import BadReport, DeadlineExceeded
from engine.outgoing import Deadline
from symbolication import pending
from symbolication.leases import LeaseKeeper
from symbolication.slots import Slots

log = logging.getLogger(__name__)

HARD_LIMIT_SECONDS: Final = 15 * 60
TIMEOUT_ANSWER: Final = b'{"status":"timeout"}'
INTERNAL_ERROR_ANSWER: Final = b'{"status":"internal_error"}'

_STORE_TRIES: Final = 4

Work = Callable[[Deadline], bytes]


@dataclass(slots=True)
class Ticket:
    """A place among the requests in flight; `close` gives it back, as often as called."""

    slots: Slots
    slot: int | None
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    deadline: Deadline = field(default_factory=lambda: Deadline.after(HARD_LIMIT_SECONDS))

    def close(self) -> None:
        """The computation has ended, or will never begin."""
        slot, self.slot = self.slot, None
        if slot is not None:
            self.slots.free(slot)


def compute(ticket: Ticket, work: Work) -> bytes:
    """The answer of `work`, whatever happens in it; its place is free afterwards."""
    try:
        return work(ticket.deadline)
    except BadReport as error:
        return orjson.dumps({"status": "failed", "message": error.message})
    except DeadlineExceeded:
        return TIMEOUT_ANSWER
    except Exception:  # noqa: BLE001 - the wire has an answer for it, and a thread of its own has nobody to raise to
        log.exception("symbolication %s failed", ticket.id)
        return INTERNAL_ERROR_ANSWER
    finally:
        ticket.close()


class Job:
    """A symbolication on a thread of its own."""

    def __init__(self, ticket: Ticket, organization_id: int | None, work: Work, keeper: LeaseKeeper) -> None:
        self.id = ticket.id
        self._ticket = ticket
        self._organization_id = organization_id
        self._work = work
        self._keeper = keeper
        self._mutex = threading.Lock()
        self._ended = threading.Event()
        self._answer: bytes | None = None
        self._public = False

    def run(self) -> None:
        """Compute, and store the answer when the request has stopped waiting for it."""
        answer = compute(self._ticket, self._work)
        with self._mutex:
            self._answer = answer
            public = self._public
        self._ended.set()
        try:
            if public:
                self._store(answer)
        finally:
            release()

    def wait(self, seconds: float) -> bytes | None:
        """The answer, or None when there is none after so many seconds; 0 looks once."""
        self._ended.wait(seconds)
        return self._answer

    def publish(self) -> bytes | None:
        """Let other requests ask for the answer; when it came in this very moment it is returned instead."""
        with self._mutex:
            if self._answer is not None:
                return self._answer
            self._public = True
            self._keeper.keep(self.id)
        # From here on the job stores its answer, before or after this.
        pending.announce(self.id, self._organization_id, self._ticket.deadline.remaining())
        return None

    def _store(self, answer: bytes) -> None:
        for attempt in range(_STORE_TRIES):
            try:
                pending.finish(self.id, self._organization_id, answer)
                break
            except Error:
                log.exception("the answer of symbolication %s could not be stored (try %d)", self.id, attempt + 1)
                release()
                time.sleep(attempt)
        self._keeper.drop(self.id)


class Jobs:
    """The threads that compute for requests with a `timeout`, as many as there are such requests."""

    def __init__(self, threads: int) -> None:
        """`threads` at most; what comes on top waits for one."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="symbolication")
        self._keeper = LeaseKeeper()

    def start(self, ticket: Ticket, organization_id: int | None, work: Work) -> Job:
        """Start computing; the place is given back when that ends."""
        job = Job(ticket, organization_id, work, self._keeper)
        try:
            self._threads.submit(job.run)
        except BaseException:
            ticket.close()
            raise
        return job
