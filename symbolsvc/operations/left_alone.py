"""Hosts that the processes of this machine leave alone, because downloads from them failed too often.

Each process decides by itself. It writes down that it did, in a file that all on the machine can read.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings

from engine.sourcetypes.blocked import BLOCK_SECONDS, Blocked, blocked_hosts

log = logging.getLogger(__name__)

_DIRECTORY: Final = "left-alone"


class LeftAlone(msgspec.Struct, frozen=True):
    """A host, for whom it is left alone, the failure that led to it, and until when (seconds since the epoch)."""

    owner: str
    host: str
    cause: str
    until: float


def listen() -> None:
    """Write down from now on what this process, and those that it forks, leave alone."""
    if _write not in blocked_hosts.listeners:
        blocked_hosts.listeners.append(_write)


def left_alone() -> list[LeftAlone]:
    """Those that are left alone now, the latest first. What is over is removed."""
    return sorted(_current(), key=lambda one: -one.until)


def _current() -> Iterator[LeftAlone]:
    now = time.time()
    for path in _directory().glob("*.json"):
        try:
            found = msgspec.json.decode(path.read_bytes(), type=LeftAlone)
        except (OSError, msgspec.DecodeError):
            continue
        if found.until > now:
            yield found
        else:
            path.unlink(missing_ok=True)


def _write(blocked: Blocked) -> None:
    owner, host = blocked.key
    said = LeftAlone(owner, host, blocked.cause, time.time() + BLOCK_SECONDS)
    name = hashlib.sha256(f"{owner}\n{host}".encode()).hexdigest()[:32]
    try:
        _directory().mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = _directory() / f"{name}.{time.monotonic_ns()}"
        temporary.write_bytes(msgspec.json.encode(said))
        temporary.replace(_directory() / f"{name}.json")
    except OSError as error:
        log.warning("that a host is left alone could not be written down: %s", error.strerror)


def _directory() -> Path:
    return Path(settings.CACHE_DIR) / _DIRECTORY
