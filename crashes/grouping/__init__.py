"""Which crashes are the same fault."""

from __future__ import annotations

from typing import Protocol

from crashes.grouping.fingerprints import grouping_of
from crashes.grouping.groups import Before, Placed, place
from crashes.grouping.parts import Grouping
from crashes.grouping.searched import remember, searched_names
from crashes.models import Crash
from crashes.models.crash import TEXT_LENGTH
from crashes.results import Result

__all__ = ["Seen", "assign", "grouping"]


class Seen(Protocol):
    """What is known of a crash besides its result."""

    @property
    def platform(self) -> str: ...

    @property
    def version(self) -> str: ...


def grouping(crash: Crash, result: Result) -> Grouping:
    """What a crash with this result is grouped by."""
    return grouping_of(result, chosen=crash.client_fingerprint, modifiers=crash.modifiers)


def assign(crash: Crash, result: Result, facts: Seen, before: Before | None = None) -> bool:
    """Put a crash into the group that its result belongs to; True when it is the group's first.

    To be called in the transaction that stores the result, with the crash's row locked. Sets `group`, `fingerprint`,
    `title` and `culprit` of `crash`, which the caller saves. However often a crash is processed, it is counted once:
    it stays where it is, or moves. `before` is what it is counted as, where the caller has just read that.
    """
    found = grouping(crash, result)
    crash.fingerprint = found.fingerprint
    crash.title = found.title[:TEXT_LENGTH]
    crash.culprit = found.culprit[:TEXT_LENGTH]
    crash.group, is_first = place(crash, Placed(facts.platform, facts.version), before)
    remember(crash.project_id, crash.group.pk, searched_names(result))
    return is_first
