"""Groups and what they count.

Whoever changes groups holds the crash's row, makes the group it needs, and then locks both groups in the order of their
ids: two crashes that move between the same groups in opposite directions wait for each other and never in a circle.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import Q
from psycopg.types.json import Jsonb

from core.postgresql.direct import first_row
from core.postgresql.loading import Loading
from crashes.models import Crash, Group

MOST_COUNTED: Final = 100
_PLATFORM_LENGTH: Final = 32
_VERSION_LENGTH: Final = 250
# Clocks of clients that stand before this are not set.
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TRIES: Final = 20
_KNOWN: Final = "SELECT {columns} FROM crashes_group WHERE project_id = %s AND fingerprint = %s FOR UPDATE"
_COUNTED: Final = (
    *("title", "culprit", "state", "regressed_at", "regressed_version", "count", "first_seen", "last_seen"),
    *("versions", "platforms"),
)
_SET: Final = ", ".join(f"{name} = %({name})s" for name in _COUNTED)
_WRITE: Final = f"UPDATE crashes_group SET {_SET} WHERE id = %(id)s RETURNING id"  # noqa: S608 - constants


class _Gone(Exception):
    """Somebody emptied and deleted the group between two statements."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Under what else a group counts a crash."""

    platform: str
    version: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "platform", self.platform[:_PLATFORM_LENGTH])
        object.__setattr__(self, "version", self.version[:_VERSION_LENGTH])


class Before(NamedTuple):
    """What the database says of a crash: in which group it is counted, and under what else."""

    group_id: int | None
    platform: str
    version: str


def moment_of(crash: Crash) -> datetime:
    """When a crash happened, as far as the client's clock can be believed: never after it came in."""
    said = crash.occurred_at
    return said if said is not None and _EARLIEST <= said <= crash.received_at else crash.received_at


def place(crash: Crash, placed: Placed, before: Before | None = None) -> tuple[Group, bool]:
    """The group of the crash's fingerprint, with the crash counted in it once and nowhere else.

    True when the crash is its first. What it was counted as before is read from the database, not from `crash`.
    """
    if before is None:
        before = Before(*Crash.objects.filter(pk=crash.pk).values_list("group_id", "platform", "version").get())
    old_id, counted = before.group_id, Placed(before.platform, before.version)
    old, new = _locked(crash, old_id)
    is_first = new.count == 0
    if old is not None and old.pk == new.pk:
        if counted != placed:
            _count_labels(new, counted, -1)
            _count_labels(new, placed, 1)
            new.save(update_fields=("versions", "platforms"))
        return new, False
    if old is not None:
        _take_out(old, crash, counted)
    _put_in(new, crash, placed)
    return new, is_first


def counted(counts: dict[str, int], name: str, by: int) -> dict[str, int]:
    """`counts` with `name` counted; of more than MOST_COUNTED names the rarest of the others gives way."""
    if not name:
        return counts
    number = counts.get(name, 0) + by
    others = {known: count for known, count in counts.items() if known != name}
    if number <= 0:
        return others
    while len(others) >= MOST_COUNTED:
        del others[min(others, key=lambda known: others[known])]
    return others | {name: number}


def _locked(crash: Crash, old_id: int | None) -> tuple[Group | None, Group]:
    """The group that the crash is in and the one it belongs to, which is made where there is none, both locked."""
    known = None if old_id is not None else _known(crash)
    if known is not None:
        return None, known
    for _try in range(_TRIES):
        try:
            # What was locked in vain is let go: whoever makes the group anew may be waiting for it.
            with transaction.atomic():
                return _lock(crash, old_id)
        except _Gone:
            continue
    raise RuntimeError(f"the group of crash {crash.pk} is deleted as often as it is made")


def _known(crash: Crash) -> Group | None:
    """The group that a crash of none belongs to, locked: nearly always there is one, and no other lock is needed."""
    row = first_row(_KNOWN.format(columns=_loading().columns), (crash.project_id, crash.fingerprint))
    return None if row is None else _loading().made(row)


@lru_cache(maxsize=1)
def _loading() -> Loading[Group]:
    return Loading(Group)


def _lock(crash: Crash, old_id: int | None) -> tuple[Group | None, Group]:
    moment, project = moment_of(crash), crash.project_id
    wanted = Group(project_id=project, fingerprint=crash.fingerprint, first_seen=moment, last_seen=moment)
    Group.objects.bulk_create([wanted], ignore_conflicts=True)
    either = Q(pk=old_id) | Q(project_id=project, fingerprint=crash.fingerprint)
    rows = list(Group.objects.select_for_update().filter(either).order_by("id"))
    new = next((row for row in rows if row.fingerprint == crash.fingerprint), None)
    if new is None:
        raise _Gone
    return next((row for row in rows if row.pk == old_id), None), new


def _put_in(group: Group, crash: Crash, placed: Placed) -> None:
    moment = moment_of(crash)
    if group.count == 0:
        group.first_seen = group.last_seen = moment
    group.first_seen, group.last_seen = min(group.first_seen, moment), max(group.last_seen, moment)
    group.count += 1
    group.title, group.culprit = crash.title, crash.culprit
    _count_labels(group, placed, 1)
    if group.state == Group.State.RESOLVED and (group.resolved_at is None or moment > group.resolved_at):
        group.state = Group.State.OPEN
        group.regressed_at, group.regressed_version = moment, placed.version
    _write(group)


def _write(group: Group) -> None:
    """Save what counting a crash changes."""
    values = {name: getattr(group, name) for name in _COUNTED}
    counts = {name: Jsonb(getattr(group, name)) for name in ("versions", "platforms")}
    first_row(_WRITE, {**values, **counts, "id": group.pk})


def _take_out(group: Group, crash: Crash, placed: Placed) -> None:
    """An empty group goes, unless somebody has said something about it."""
    group.count = max(0, group.count - 1)
    rest = Crash.objects.filter(group_id=group.pk).exclude(pk=crash.pk)
    newest = rest.order_by("-received_at", "-id").first()
    if group.count == 0 and newest is None and group.state == Group.State.OPEN:
        group.delete()
        return
    moment = moment_of(crash)
    if newest is not None and moment >= group.last_seen:
        group.last_seen = moment_of(newest)
    if newest is not None and moment <= group.first_seen:
        oldest = rest.order_by("received_at", "id").first()
        group.first_seen = moment_of(oldest or newest)
    _count_labels(group, placed, -1)
    group.save()


def _count_labels(group: Group, placed: Placed, by: int) -> None:
    group.versions = counted(group.versions, placed.version, by)
    group.platforms = counted(group.platforms, placed.platform, by)
