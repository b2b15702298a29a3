"""How often and how long a file is tried for, and when its host is left alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import BinaryIO

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, Opener, PassingFailure, Transfer, timed_out
from engine.sourcetypes.base import Opening
from engine.sourcetypes.blocked import BlockedHosts, blocked_hosts

TRIES = 3
PAUSE_SECONDS = 0.02
DOWNLOAD_SECONDS = 300.0
# Sources under ids of this form are Sentry's own, and their hosts are never blocked.
TRUSTED_PREFIX = "sentry:"
# A server that let its time pass is not waited for three times over: the whole answer would come that much later.
_FINAL = frozenset(
    {
        FailureKind.NOT_FOUND,
        FailureKind.REFUSED,
        FailureKind.TIMED_OUT,
        FailureKind.TOO_LARGE,
        FailureKind.NOT_CONFIGURED,
    }
)
_COUNTED = frozenset({FailureKind.UNREACHABLE, FailureKind.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class Host:
    """A host as the sources of one owner see it."""

    owner: str
    name: str
    exempt: bool = False
    blocked: BlockedHosts = field(default=blocked_hosts, repr=False)

    @classmethod
    def of(cls, opening: Opening, source_id: str, name: str) -> Host:
        """The operator can exempt hosts by name."""
        exempt = source_id.startswith(TRUSTED_PREFIX) or name.lower() in opening.never_block
        return cls(opening.owner, name.lower(), exempt)

    def check(self) -> None:
        """Raise LookupFailure while the host is left alone."""
        if not self.exempt:
            self.blocked.check((self.owner, self.name))

    def count(self, failure: LookupFailure) -> None:
        """Take a failure into account: an error or a timeout, never a file that is absent or refused."""
        if failure.kind in _COUNTED and not isinstance(failure, PassingFailure) and not self.exempt:
            self.blocked.failed((self.owner, self.name), failure.details)


def fetch_file(opener: Opener, target: BinaryIO, host: Host, deadline: Deadline) -> None:
    """Bring a file to `target` in up to three tries (one, if the server does not answer in time) and five minutes.

    Raises LookupFailure, or DeadlineExceeded when it is the caller's deadline that has passed.
    """
    limit = deadline.at_most(DOWNLOAD_SECONDS)
    transfer = Transfer(opener, target)
    for last in (False,) * (TRIES - 1) + (True,):
        host.check()
        try:
            return transfer.attempt(limit)
        except LookupFailure as failure:
            host.count(failure)
            deadline.check()
            if limit.remaining() == 0:
                raise timed_out(DOWNLOAD_SECONDS) from failure
            if last or failure.kind in _FINAL or isinstance(failure, PassingFailure):
                raise
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the last try returns or raises")
