"""Hosts that failed too often are left alone for a while, so that they do not slow down every request."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import FailureKind
from engine.outgoing import PassingFailure

BUCKET_SECONDS = 5
WINDOW_SECONDS = 60
FAILURES = 60
BLOCK_SECONDS = 3600

# An owner and a host: what one organization's sources do to a host is no other organization's trouble.
HostKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Blocked:
    """That a host is left alone from now on, for BLOCK_SECONDS, and the failure that brought it about."""

    key: HostKey
    cause: str


@dataclass(slots=True)
class _Host:
    buckets: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    blocked_until: float = 0.0
    cause: str = ""


class BlockedHosts:
    """Counts failures per host in this process: 60 within a minute block the host for an hour."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hosts: dict[HostKey, _Host] = {}
        # Who is told of every host that is blocked.
        self.listeners: list[Callable[[Blocked], None]] = []

    def check(self, key: HostKey) -> None:
        """Raise LookupFailure while the host is blocked."""
        with self._lock:
            host = self._hosts.get(key)
            if host is None or host.blocked_until <= self._clock():
                return
            cause, seconds = host.cause, host.blocked_until - self._clock()
        raise HostBlocked(key[1], cause, seconds)

    def failed(self, key: HostKey, cause: str) -> None:
        """Count one failure: an error or a timeout, never a file that is absent or refused."""
        now = self._clock()
        bucket = int(now // BUCKET_SECONDS)
        with self._lock:
            host = self._hosts.setdefault(key, _Host())
            host.buckets[bucket] += 1
            for old in [number for number in host.buckets if number <= bucket - WINDOW_SECONDS // BUCKET_SECONDS]:
                del host.buckets[old]
            if sum(host.buckets.values()) < FAILURES:
                return
            host.blocked_until, host.cause = now + BLOCK_SECONDS, cause
            host.buckets.clear()
        for listener in self.listeners:
            listener(Blocked(key, cause))


class HostBlocked(PassingFailure):
    """The host is blocked for `seconds` more; says so, and why."""

    def __init__(self, host: str, cause: str, seconds: float) -> None:
        super().__init__(
            FailureKind.UNREACHABLE,
            f"download failed: Host {host} is temporarily blocked because there were too many download failures. "
            f"It will remain blocked for a maximum of 1h. The error that triggered the block was: `{cause}`.",
        )
        self.seconds = seconds


blocked_hosts = BlockedHosts()
