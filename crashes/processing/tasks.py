"""The jobs of processing."""

from __future__ import annotations

from core.background import periodic
from crashes.processing.sweeping import sweep


@periodic("* * * * *")
def sweep_crashes(_timestamp: int) -> None:
    """Put back what lost its worker."""
    sweep()
