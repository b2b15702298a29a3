"""The rows of pending symbolications: announced, kept alive, finished, read, swept.

Every time is the database's, so that the clocks of several hosts do not matter.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db import connection

# Seconds. A lease is renewed three times before it runs out.
LEASE_SECONDS: Final = 15
RENEW_SECONDS: Final = 5.0
KEEP_SECONDS: Final = 90

_ANNOUNCE: Final = """
    INSERT INTO symbolication_pendingrequest (id, organization_id, owner, lease_until, deadline)
    VALUES (%s, %s, %s, now() + make_interval(secs => %s), now() + make_interval(secs => %s))
    ON CONFLICT (id) DO NOTHING
"""
# The computation may end before its row is announced: whoever comes second finds the other's row.
_FINISH: Final = """
    INSERT INTO symbolication_pendingrequest (id, organization_id, owner, lease_until, deadline, result, finished_at)
    VALUES (%s, %s, %s, now(), now(), %s, now())
    ON CONFLICT (id) DO UPDATE SET result = excluded.result, finished_at = excluded.finished_at
"""
_RENEW: Final = """
    UPDATE symbolication_pendingrequest SET lease_until = now() + make_interval(secs => %s)
    WHERE id = ANY(%s) AND finished_at IS NULL
"""
_READ: Final = """
    SELECT
        CASE
            WHEN finished_at >= now() - make_interval(secs => %(keep)s) THEN 'finished'
            WHEN finished_at IS NOT NULL THEN 'gone'
            WHEN deadline < now() THEN 'timeout'
            WHEN lease_until < now() THEN 'abandoned'
            ELSE 'running'
        END,
        CASE WHEN finished_at >= now() - make_interval(secs => %(keep)s) THEN result END
    FROM symbolication_pendingrequest
    WHERE id = %(id)s AND organization_id IS NOT DISTINCT FROM %(organization)s
"""
_SWEEP: Final = """
    DELETE FROM symbolication_pendingrequest
    WHERE finished_at < now() - make_interval(secs => %(keep)s)
    OR (finished_at IS NULL AND lease_until < now() - make_interval(secs => %(keep)s))
"""


class State(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    TIMEOUT = "timeout"
    ABANDONED = "abandoned"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row says. `result` is the answer as it is sent, only when finished."""

    state: State
    result: bytes = b""


def announce(request_id: UUID, organization_id: int | None, seconds_left: float) -> None:
    """Make the request known to all web processes; its lease begins. `seconds_left`: until the hard limit."""
    _execute(_ANNOUNCE, [request_id, organization_id, _owner(), LEASE_SECONDS, seconds_left])


def finish(request_id: UUID, organization_id: int | None, result: bytes) -> None:
    """Store the answer, whether the request has been announced yet or not."""
    _execute(_FINISH, [request_id, organization_id, _owner(), result])


def renew(request_ids: Collection[UUID]) -> None:
    """Say that their owner is alive."""
    _execute(_RENEW, [LEASE_SECONDS, list(request_ids)])


def read(request_id: UUID, organization_id: int | None) -> Seen:
    """What is known of a request; `GONE` when there is none, or not this organization's."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"id": request_id, "organization": organization_id, "keep": KEEP_SECONDS})
        row = cursor.fetchone()
    if row is None:
        return Seen(State.GONE)
    return Seen(State(row[0]), b"" if row[1] is None else bytes(row[1]))


def sweep() -> int:
    """Delete what nobody can ask for any more; how many rows that were."""
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, {"keep": KEEP_SECONDS})
        return int(cursor.rowcount)


def _execute(sql: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
