"""What holds for a project's crashes: its own rules over the settings."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db import transaction

from core.postgresql.direct import first_row
from core.postgresql.loading import Loading
from crashes.models import CrashRules
from projects import audit
from projects.access import Actor
from projects.models import Project

# In a stored rule: without a limit. NULL there stands for what the settings say.
UNLIMITED: Final = 0
_STATEMENT: Final = "SELECT {columns} FROM crashes_crashrules WHERE project_id = %s"
_LATELY_SECONDS: Final = 5.0
_MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of a project; None is without a limit.

    `keep_days` counts from when a crash was received; `most_bytes` is reports, attachments and results together;
    `per_minute` reports of all clients together; `report_bytes` one report with what comes beside it.
    """

    keep_days: int | None
    most_crashes: int | None
    most_bytes: int | None
    per_minute: int | None
    report_bytes: int | None
    secret_names: tuple[str, ...] = ()
    in_app: tuple[str, ...] = ()
    not_in_app: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What a project has of its own: None is what the settings say, UNLIMITED is no limit."""

    keep_days: int | None = None
    most_crashes: int | None = None
    most_bytes: int | None = None
    per_minute: int | None = None
    report_bytes: int | None = None
    secret_names: Sequence[str] = ()
    in_app: Sequence[str] = ()
    not_in_app: Sequence[str] = ()


_lately: dict[int, tuple[float, Rules]] = {}
os.register_at_fork(after_in_child=_lately.clear)


def default_rules() -> Rules:
    """What holds for projects without rules of their own."""
    values = settings.ENVIRONMENT
    return Rules(
        keep_days=values["CRASH_KEEP_DAYS"],
        most_crashes=values["CRASH_MOST_CRASHES"],
        most_bytes=values["CRASH_MOST_BYTES"],
        per_minute=values["CRASHES_PER_MINUTE"],
        report_bytes=values["CRASH_REPORT_MAX_BYTES"],
    )


def rules_of(project: Project) -> Rules:
    """What holds for a project now; one query."""
    row = first_row(_STATEMENT.format(columns=_loading().columns), (project.pk,))
    return merged(None if row is None else _loading().made(row))


@lru_cache(maxsize=1)
def _loading() -> Loading[CrashRules]:
    return Loading(CrashRules)


def rules_lately_of(project: Project) -> Rules:
    """As `rules_of`, up to five seconds old: for what happens many times a second."""
    now = time.monotonic()
    known = _lately.get(project.pk)
    if known is not None and now - known[0] < _LATELY_SECONDS:
        return known[1]
    if len(_lately) >= _MOST_REMEMBERED:
        _lately.clear()
    rules = rules_of(project)
    _lately[project.pk] = now, rules
    return rules


def merged(row: CrashRules | None) -> Rules:
    """A project's rules over the settings."""
    default = default_rules()
    if row is None:
        return default
    return Rules(
        keep_days=_chosen(row.keep_days, default.keep_days),
        most_crashes=_chosen(row.most_crashes, default.most_crashes),
        most_bytes=_chosen(row.most_bytes, default.most_bytes),
        per_minute=_chosen(row.per_minute, default.per_minute),
        report_bytes=_chosen(row.report_bytes, default.report_bytes),
        secret_names=tuple(row.secret_names),
        in_app=tuple(row.in_app),
        not_in_app=tuple(row.not_in_app),
    )


def set_rules(*, project: Project, actor: Actor, own: OwnRules) -> Rules:
    """Replace a project's own rules, with an audit entry. What holds from now on."""
    numbers = {name: getattr(own, name) for name in _NUMBERS}
    lists = {name: list(dict.fromkeys(getattr(own, name))) for name in _LISTS}
    with transaction.atomic():
        row, _ = CrashRules.objects.update_or_create(project=project, defaults=numbers | lists)
        audit.record(
            organization=project.organization,
            project=project,
            actor=actor,
            action="crash_rules.changed",
            target=project.slug,
            # The trail masks what is named like a secret, and these are names only.
            data=numbers | {"masked_names": lists.pop("secret_names")} | lists,
        )
    _lately.pop(project.pk, None)
    return merged(row)


_NUMBERS: Final = ("keep_days", "most_crashes", "most_bytes", "per_minute", "report_bytes")
_LISTS: Final = ("secret_names", "in_app", "not_in_app")


def _chosen(own: int | None, default: int | None) -> int | None:
    return default if own is None else own or None
