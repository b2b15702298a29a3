"""One thread per process that says, while there is something to say it for, that this process is alive."""

from __future__ import annotations

import logging
import threading
from uuid import UUID

from django.db import Error

from core.database import release
from symbolication import pending

log = logging.getLogger(__name__)


class LeaseKeeper:
    """Renews the leases of the pending requests that this process computes."""

    def __init__(self, every: float = pending.RENEW_SECONDS) -> None:
        """`every`: seconds between two renewals."""
        self._every = every
        self._mutex = threading.Lock()
        self._kept: set[UUID] = set()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def keep(self, request_id: UUID) -> None:
        """Renew this request's lease from now on."""
        with self._mutex:
            self._kept.add(request_id)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="symbolication-leases", daemon=True)
                self._thread.start()

    def drop(self, request_id: UUID) -> None:
        """It is finished."""
        with self._mutex:
            self._kept.discard(request_id)
            if not self._kept:
                self._wake.set()

    def _run(self) -> None:
        while (kept := self._still_kept()) is not None:
            self._renew(kept)
            self._wake.wait(self._every)
            self._wake.clear()

    def _still_kept(self) -> set[UUID] | None:
        with self._mutex:
            if not self._kept:
                # Forgotten under the mutex, so that `keep` starts another thread.
                self._thread = None
                return None
            return set(self._kept)

    def _renew(self, kept: set[UUID]) -> None:
        try:
            pending.renew(kept)
        except Error:
            # The next round comes before the lease runs out.
            log.exception("the leases of %d pending requests could not be renewed", len(kept))
        finally:
            release()
