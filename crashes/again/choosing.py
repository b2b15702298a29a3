"""Which crashes a run is about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from django.db.models import QuerySet
from msgspec import Meta

from core.api import ApiError
from core.times import in_utc
from crashes.models import Crash, CrashLack, Rerun
from crashes.searching import lacking, read_words
from crashes.searching import matching_crashes as matching_crashes_of
from crashes.searching.words import LONGEST

MOST_IDS: Final = 1_000
# Crashes of all projects that one window passes by at most.
_REACH: Final = 50_000
_BIGINT_MAX: Final = 2**63 - 1
_Number = Annotated[int, Meta(ge=1, le=_BIGINT_MAX)]
_Text = Annotated[str, Meta(max_length=250)]


class Chosen(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Crashes that fulfil all that is said here. `since` and `until` are about when they were received.

    `ids` are numbers of crashes. `lacking`: a debug id, or a code id, of a file that they lack. `search`: words as in
    the search box of the list of crashes.
    """

    ids: Annotated[tuple[_Number, ...], Meta(max_length=MOST_IDS)] = ()
    group: _Number | None = None
    state: Literal["pending", "running", "done", "set_aside"] | None = None
    version: _Text | None = None
    platform: Annotated[str, Meta(max_length=32)] | None = None
    os: Annotated[str, Meta(max_length=64)] | None = None
    since: datetime | None = None
    until: datetime | None = None
    lacking: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    search: Annotated[str, Meta(min_length=1, max_length=LONGEST)] | None = None


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands in `Rerun.chosen`: a filter, up to the crash `last`; or lacked files.

    Of `files` those crashes are meant that were processed before `revision`, if there is one. `cause` tells what this
    run came from, so that it comes once.
    """

    chosen: Chosen | None = None
    last: int = 0
    files: tuple[int, ...] = ()
    revision: int | None = None
    cause: str = ""

    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told


def plan_of(rerun: Rerun) -> Plan:
    return msgspec.convert(rerun.chosen, Plan, strict=False)


def check(chosen: Chosen) -> None:
    """Raises ApiError (400) for a time without a zone, and for words that are not understood."""
    problems = read_words(chosen.search or "")[1]
    if problems:
        raise ApiError(f"search: {problems[0]}", field="search")
    for name in ("since", "until"):
        value = getattr(chosen, name)
        if value is not None and value.tzinfo is None:
            raise ApiError(f"{name}: a time with its zone, such as 2026-01-31T12:00:00Z", field=name)


def matching_crashes(project_id: int, chosen: Chosen) -> QuerySet[Crash]:
    """The crashes of a project that a filter means; those that nobody can read are never meant."""
    asked = {
        "group_id": chosen.group,
        "state": chosen.state,
        "version": chosen.version,
        "platform": chosen.platform,
        "os_name": chosen.os,
        "received_at__gte": chosen.since and in_utc(chosen.since),
        "received_at__lt": chosen.until and in_utc(chosen.until),
    }
    rows = Crash.objects.filter(project_id=project_id, **{key: value for key, value in asked.items() if value})
    rows = rows.exclude(state=Crash.State.KEPT)
    if chosen.ids:
        rows = rows.filter(pk__in=chosen.ids)
    if chosen.lacking:
        rows = rows.filter(lacking(project_id, chosen.lacking))
    return rows & _searched(project_id, chosen.search) if chosen.search else rows


def total(project_id: int, plan: Plan) -> int:
    """How many crashes are meant now."""
    if plan.chosen is not None:
        return matching_crashes(project_id, plan.chosen).filter(pk__lte=plan.last).count()
    return lacks_of(plan).filter(crash__state=Crash.State.DONE).values("crash").distinct().count()


def lacks_of(plan: Plan) -> QuerySet[CrashLack]:
    """What crashes lack of the plan's files, as far as they were processed before these came."""
    rows = CrashLack.objects.filter(file__in=plan.files)
    return rows if plan.revision is None else rows.filter(files_revision__lt=plan.revision)


def next_ids(rerun: Rerun, plan: Plan, most: int) -> tuple[list[int], int | None]:
    """The next crashes after the cursor, by id, and the cursor after them; None when nothing is left."""
    if plan.chosen is None:
        lacks = lacks_of(plan).filter(crash__gt=rerun.cursor).order_by("crash")
        ids = list(lacks.values_list("crash", flat=True).distinct()[:most])
        return ids, ids[-1] if len(ids) == most else None
    reach = min(plan.last, rerun.cursor + _REACH)
    rows = matching_crashes(rerun.project_id, plan.chosen).filter(pk__gt=rerun.cursor, pk__lte=reach)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:most])
    if len(ids) == most:
        return ids, ids[-1]
    return ids, reach if reach < plan.last else None


def still_meant(ids: Collection[int], plan: Plan) -> list[int]:
    """Those of the locked crashes that are to be queued: what they lack is theirs now, and stays so."""
    if plan.chosen is not None:
        return sorted(Crash.objects.filter(pk__in=ids).exclude(state=Crash.State.PENDING).values_list("pk", flat=True))
    rows = lacks_of(plan).filter(crash__in=ids, crash__state=Crash.State.DONE)
    return sorted(set(rows.values_list("crash", flat=True)))


def _searched(project_id: int, words: str) -> QuerySet[Crash]:
    return matching_crashes_of(project_id, read_words(words)[0], in_all_groups=True)
