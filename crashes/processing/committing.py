"""Storing all that came of a crash, in one transaction of whoever still holds its lease."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction

from core.postgresql.direct import first_row
from crashes.again import Revisions, record
from crashes.grouping import assign
from crashes.grouping.groups import Before
from crashes.models import Crash
from crashes.processing.claims import Claim
from crashes.processing.endings import OWN, QUEUED_AGAIN
from crashes.processing.waking import wake
from crashes.reports import Outcome
from crashes.results import packed

# Locks the crash until the transaction ends.
_RESULT: Final = f"""
WITH owned AS (
    SELECT id, group_id, platform, version FROM crashes_crash {OWN} FOR UPDATE
), stored AS (
    INSERT INTO crashes_crashresult (crash_id, body, made_at)
    SELECT id, %(body)s, statement_timestamp() FROM owned
    ON CONFLICT (crash_id) DO UPDATE SET body = excluded.body, made_at = excluded.made_at
)
SELECT group_id, platform, version FROM owned
"""  # noqa: S608 - constants
_FACTS: Final = ("platform", "version", "os_name", "arch", "frame_count", "unnamed_count")
_PLACE: Final = ("group_id", "fingerprint", "title", "culprit")
_WRITTEN: Final = ", ".join(f"{name} = %({name})s" for name in (*_FACTS, *_PLACE))
_END: Final = f"""
UPDATE crashes_crash SET
    {_WRITTEN},
    state = CASE WHEN {QUEUED_AGAIN} THEN 'pending' ELSE 'done' END,
    lease_token = NULL, lease_until = NULL, problem = '', processed_at = statement_timestamp()
{OWN} RETURNING state
"""  # noqa: S608 - constants


@transaction.atomic
def commit(claim: Claim, crash: Crash, seen: Revisions, outcome: Outcome) -> bool:
    """Store it and end the crash's turn; False when the lease is another's by now.

    `crash` is as it was taken, and gets what is stored. It may be done twice. Raises DatabaseError.
    """
    own: dict[str, Any] = {"id": claim.crash_id, "token": claim.token, "waiting_since": claim.waiting_since}
    before = first_row(_RESULT, {"id": claim.crash_id, "token": claim.token, "body": packed(outcome.result)})
    if before is None:
        return False
    for name in _FACTS:
        setattr(crash, name, getattr(outcome.facts, name))
    record(crash, outcome.lacks, seen)
    assign(crash, outcome.result, outcome.facts, Before(*before))
    values = {name: getattr(crash, name) for name in (*_FACTS, *_PLACE)}
    ended = first_row(_END, own | values)
    if ended is not None and ended[0] == Crash.State.PENDING:
        wake()
    return True
