"""From what is asked to rows.

Groups are few where crashes are many, so names and texts are looked for among groups. An attribute may stand in three
crashes or in all of them and the planner cannot know: of few the ids are taken from the index, and among many the
newest crashes are simply read until a page is full.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from crashes.grouping.searched import as_searched
from crashes.models import Crash, CrashLack, Group, GroupName, LackedFile
from crashes.searching.any_of import AnyOf
from crashes.searching.asked import Asked
from engine.modules import DebugId
from projects.models import Project

_FEW: Final = 10_000
# Where many crashes are of fewer groups than these, groups without such a crash are the rule.
_SPREAD: Final = 500
_MOST_GROUPS: Final = 1_000
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Final = {"true": True, "false": False, "null": None}


def matching_crashes(project: Project | int, asked: Asked, *, in_all_groups: bool = False) -> QuerySet[Crash]:
    """The crashes that are asked for.

    What is about groups holds for the 1,000 of these that were seen last, unless `in_all_groups`.
    """
    rows = Crash.objects.filter(project=project).filter(_of_crashes(project, asked))
    if asked.attributes:
        rows = _with_attributes(project, rows, asked)
    if asked.is_about_groups:
        groups = _groups(project, asked)
        if in_all_groups:
            return rows.filter(group__in=groups)
        # The ids are asked first since nobody can guess how many a text matches.
        latest = groups.order_by("-last_seen", "-id").values_list("pk", flat=True)[:_MOST_GROUPS]
        rows = rows.filter(AnyOf(F("group"), list(latest)))
    return rows


def any_crash(project: Project) -> bool:
    """Whether a project has a crash; asked in the order of an index, lest those of all others are passed by."""
    return bool(Crash.objects.filter(project=project).order_by("-received_at", "-id").values("pk")[:1])


def matching_groups(project: Project | int, asked: Asked) -> QuerySet[Group]:
    """The groups that are asked for, with crashes that fulfil what is said about crashes. Empty groups are left out."""
    rows = _groups(project, asked)
    if asked.group is not None:
        rows = rows.filter(pk=asked.group)
    if not asked.is_about_crashes:
        return rows
    crashes = Crash.objects.filter(project=project, group__isnull=False).filter(_of_crashes(project, asked))
    for condition in _attributes(asked):
        crashes = crashes.filter(condition)
    few = _few(crashes, "group_id", as_all=bool(asked.attributes))
    groups = set(few)
    if len(few) > _FEW:
        if len(groups) > _SPREAD:
            return rows.filter(Exists(crashes.filter(group=OuterRef("pk"))))
        # All crashes of every other group would be looked at.
        groups = set(crashes.order_by().values_list("group_id", flat=True).distinct())
    return rows.filter(AnyOf(F("pk"), sorted(groups)))


def _groups(project: Project | int, asked: Asked) -> QuerySet[Group]:
    rows = Group.objects.filter(project=project, count__gt=0)
    if asked.group_state:
        rows = rows.filter(state=asked.group_state)
    if asked.regressed:
        rows = rows.filter(regressed_at__isnull=False)
    for text in asked.texts:
        rows = rows.filter(Q(title__icontains=text) | Q(culprit__icontains=text))
    for kind, names in ((GroupName.Kind.FUNCTION, asked.functions), (GroupName.Kind.MODULE, asked.modules)):
        for name in names:
            found = GroupName.objects.filter(project=project, kind=kind, name__startswith=as_searched(name))
            rows = rows.filter(pk__in=found.values("group"))
    return rows


def _of_crashes(project: Project | int, asked: Asked) -> Q:
    columns = {
        "group_id": asked.group,
        "state": asked.state,
        "version": asked.version,
        "platform": asked.platform,
        "os_name": asked.os,
        "received_at__gte": asked.since,
        "received_at__lt": asked.until,
    }
    condition = Q(**{column: value for column, value in columns.items() if value not in (None, "")})
    if asked.unnamed:
        condition &= Q(unnamed_count__gt=0)
    return condition & lacking(project, asked.lacking) if asked.lacking else condition


def lacking(project: Project | int, text: str) -> Q:
    """Crashes of a project that lack a file, by its debug id or code id. Asks which files these are at once."""
    parsed = DebugId.parse(text)
    file = Q(code_id=text.lower())
    if parsed is not None:
        file |= Q(debug_uuid=parsed.uuid)
    files = LackedFile.objects.filter(file, project=project).order_by().values_list("pk", flat=True)
    return Q(pk__in=CrashLack.objects.filter(AnyOf(F("file"), list(files))).values("crash"))


def _with_attributes(project: Project | int, rows: QuerySet[Crash], asked: Asked) -> QuerySet[Crash]:
    for condition in _attributes(asked):
        rows = rows.filter(condition)
    few = _few(rows, "id", as_all=True)
    return rows if len(few) > _FEW else Crash.objects.filter(AnyOf(F("pk"), few), project=project)


def _few(rows: QuerySet[Crash], column: str, *, as_all: bool) -> list[int]:
    """A column of all the rows where they are few; of many one more than are few.

    `as_all`: planned as if all were wanted, so by the index of attributes, of whose number the planner knows nothing.
    """
    found = rows.order_by().values(column)
    statement, values = (found if as_all else found[: _FEW + 1]).query.sql_with_params()
    if as_all:
        statement = f'WITH "found" AS MATERIALIZED ({statement}) SELECT "{column}" FROM "found" LIMIT {_FEW + 1}'  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [int(row[0]) for row in cursor.fetchall()]


def _attributes(asked: Asked) -> Iterator[Q]:
    for name, text in asked.attributes:
        yield reduce(or_, (Q(attributes__contains={name: value}) for value in _readings(text)))


def _readings(text: str) -> Iterator[str | int | float | bool | None]:
    """What a text in a query may mean as the value of an attribute."""
    yield text
    if text in _WORDS:
        yield _WORDS[text]
    elif _DECIMAL.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            yield int(text) if re.fullmatch("-?[0-9]+", text) else number
