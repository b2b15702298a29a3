"""Keeping a lease while a crash is worked at."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import DatabaseError, connection
from psycopg_pool import PoolTimeout

from core.database import release
from crashes.processing.claims import Claim
from crashes.processing.policy import GRACE, lease_seconds, try_seconds

log = logging.getLogger(__name__)

_RENEWALS: Final = 3
_RENEW: Final = """
UPDATE crashes_crash SET lease_until = statement_timestamp() + make_interval(secs => %s)
WHERE id = %s AND lease_token = %s AND state = 'running'
"""
OVERDUE_STATUS: Final = 75


@contextmanager
def held(claim: Claim, give_up: Callable[[], None]) -> Iterator[None]:
    """Renew the lease from a thread of its own until the block ends.

    A try that goes on beyond its time and some grace is stuck where no deadline is looked at. No thread can be stopped
    from outside: `give_up` puts the crash back, and the process ends, to be started again by its supervisor.
    """
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(claim, ended, give_up), name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()


def _keep(claim: Claim, ended: threading.Event, give_up: Callable[[], None]) -> None:
    end = time.monotonic() + try_seconds() + GRACE
    while not ended.wait(min(lease_seconds() / _RENEWALS, max(0.0, end - time.monotonic()))):
        if time.monotonic() >= end:
            _end_process(claim, give_up)
            return
        if not _renew(claim):
            return


def _renew(claim: Claim) -> bool:
    """False when the lease is another's by now: the result will be dropped."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, [lease_seconds(), claim.crash_id, claim.token])
            return int(cursor.rowcount) == 1
    except (DatabaseError, PoolTimeout) as error:
        # It may answer in time for the next one.
        log.warning("the lease of crash %d could not be renewed: %s", claim.crash_id, type(error).__name__)
        return True
    finally:
        release()


def _end_process(claim: Claim, give_up: Callable[[], None]) -> None:
    log.error("crash %d takes longer than it may and cannot be stopped: this process ends", claim.crash_id)
    try:
        give_up()
    finally:
        end_process()


def end_process() -> None:
    os._exit(OVERDUE_STATUS)
