"""What an answer has beyond `_rxid`: of a submission that waits for its processing, or asks what was done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

from core.database import AWAY
from crashes.accepting import Accepted
from crashes.admission import Sender
from crashes.models import Crash
from crashes.processing.queueing import wait_until_done
from crashes.submission import modifiers

log = logging.getLogger(__name__)

SYNC_POST: Final = "sync:post"
_SECONDS: Final = 30.0
# Threads of a web process that may wait at once; who finds none free is answered at once.
_waiters: Final = threading.BoundedSemaphore(32)


def more_answers(done: Accepted, sender: Sender, asked: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the modifiers ask for."""
    more: dict[str, Any] = {}
    if modifiers.LOG in asked:
        more["log"] = _log(done, asked)
    if modifiers.SYNC in asked and SYNC_POST in sender.scopes:
        more |= _processed(done.crash)
    return more


def _processed(crash: Crash) -> dict[str, Any]:
    """What became of a crash within half a minute; without a fingerprint when that was not enough."""
    more: dict[str, Any] = {"object": crash.object_id, "state": crash.state, "buckets": {}}
    if not _waiters.acquire(blocking=False):
        return more
    try:
        current = wait_until_done(crash.pk, _SECONDS)
        more["state"] = current.state
        if current.fingerprint:
            more |= {"fingerprint": current.fingerprint, "unique": _is_first(current)}
    except (Crash.DoesNotExist, *AWAY) as error:
        # The report is taken, whatever happens now: any other answer would have it sent again.
        log.warning("nobody can tell any more what became of crash %s: %s", crash.pk, error)
    finally:
        _waiters.release()
    return more


def _is_first(crash: Crash) -> bool:
    if crash.group_id is None:
        return True
    return not Crash.objects.filter(group_id=crash.group_id, pk__lt=crash.pk).exists()


def _log(done: Accepted, asked: Mapping[str, str]) -> list[str]:
    crash = done.crash
    return [
        f"report: {crash.format}, {crash.size} bytes, SHA-256 {crash.sha256}",
        "known already by its uuid" if done.known else f"stored with {crash.stored_bytes - crash.size} bytes beside it",
        f"attributes: {len(crash.attributes)}",
        f"modifiers: {', '.join(sorted(asked))}",
        f"state: {crash.state}",
    ]
