"""Telling worker processes that there may be something for them, through the database that all hosts share.

Nothing is lost with a word that nobody heard: the rows are the truth, and who waits looks by itself every few seconds.
"""

from __future__ import annotations

from typing import Final

from core.postgresql.direct import first_row

# By which the database knows the processes that work on crashes, and what it tells them through.
QUEUE: Final = "crashes"
CHANNEL: Final = "symbolsvc_crashes"
# Where so many crashes wait every process is at work, and looks for the next one when it has done its own.
ENOUGH: Final = 64

_WAKE: Final = f"SELECT pg_notify('{CHANNEL}', '')"


def wake() -> None:
    """Have idle worker processes look for crashes, once the transaction around is committed."""
    first_row(_WAKE, ())
