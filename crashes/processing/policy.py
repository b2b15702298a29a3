"""How patient processing is, from the settings. All times are seconds."""

from __future__ import annotations

from typing import Final

from django.conf import settings

# Every installation's leases are shorter, whatever its machines are set to: one that seems longer was given before the
# database's clock was set back.
LONGEST_LEASE: Final = 600
FIRST_PAUSE: Final = 10
LONGEST_PAUSE: Final = 3600
# What a try may take beyond its time, for whatever does not look at the deadline.
GRACE: Final = 30.0
# Of so many turns one goes to crashes that are done again before those that are new: they wait, but never starve.
AGAIN_EVERY: Final = 8


def lease_seconds() -> int:
    return int(settings.ENVIRONMENT["CRASH_LEASE_SECONDS"])


def try_seconds() -> int:
    return int(settings.ENVIRONMENT["CRASH_TRY_SECONDS"])


def most_tries() -> int:
    return int(settings.ENVIRONMENT["CRASH_TRIES"])


def most_running(workers: int) -> int:
    """How many crashes of one project run at once at most, of so many worker processes in the whole installation.

    One process is left to the others: a project whose lookups all hang takes no more than the rest.
    """
    chosen = settings.ENVIRONMENT["CRASHES_AT_ONCE"]
    return max(1, workers - 1) if chosen is None else int(chosen)
