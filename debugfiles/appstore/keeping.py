"""Holding a lease while the work goes on."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Final, Self

from django.db import Error

from core.database import release
from debugfiles.appstore import services
from debugfiles.appstore.services import Lease, LeaseLost

log = logging.getLogger(__name__)

RENEW_SECONDS: Final = 20.0


class KeptLease:
    """Renews a lease from a thread of its own until the end of the block."""

    def __init__(self, lease: Lease, every: float = RENEW_SECONDS) -> None:
        """`every`: seconds between two renewals."""
        self.lease = lease
        self._every = every
        self._ended, self._lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="appstore-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def check(self) -> None:
        """Raise LeaseLost as soon as it is known that the lease is lost or should be given up."""
        if self._lost.is_set():
            raise LeaseLost

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                if not services.renew(self.lease):
                    self._lost.set()
                    return
            except Error:
                # The next round comes before the lease runs out.
                log.exception("the lease of an import could not be renewed")
            finally:
                release()
