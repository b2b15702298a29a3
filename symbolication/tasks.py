"""What symbolication has done in the background."""

from __future__ import annotations

from core.background import periodic
from symbolication.pending import sweep


@periodic("* * * * *")
def sweep_pending_requests(timestamp: int) -> None:  # noqa: ARG001 - the scheduler names its moment
    """Delete the rows of pending requests that nobody can ask for any more."""
    sweep()
