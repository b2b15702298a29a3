"""What the settings and a project's own rules say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from debugfiles.models import Retention
from debugfiles.recording import record
from projects.access import Actor
from projects.models import Project

# In a stored rule: without a limit. NULL there stands for what the settings say.
UNLIMITED: Final = 0


class WhenFull(StrEnum):
    """What becomes of an upload that does not fit: it is refused, or what was used longest ago goes."""

    REFUSE = "refuse"
    EVICT = "evict"


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of a project. `keep_days` counts from the last use; None is without a limit."""

    keep_days: int | None
    quota_bytes: int | None
    when_full: WhenFull

    def expires_at(self, last_used: datetime) -> datetime | None:
        """When something goes that nobody uses again; None for never."""
        return None if self.keep_days is None else last_used + timedelta(days=self.keep_days)


def default_policy() -> Policy:
    """What holds for projects without rules of their own."""
    values = settings.ENVIRONMENT
    return Policy(values["UPLOADS_KEEP_DAYS"], values["UPLOADS_QUOTA_BYTES"], WhenFull.REFUSE)


def policy_of(project: Project) -> Policy:
    """What holds for a project; one query."""
    return merged(Retention.objects.filter(project=project).first())


def merged(row: Retention | None) -> Policy:
    """A project's rules over the settings."""
    default = default_policy()
    if row is None:
        return default
    return Policy(
        keep_days=_chosen(row.keep_days, default.keep_days),
        quota_bytes=_chosen(row.quota_bytes, default.quota_bytes),
        when_full=WhenFull(row.when_full) if row.when_full else default.when_full,
    )


def set_rules(
    *, project: Project, actor: Actor, keep_days: int | None, quota_bytes: int | None, when_full: WhenFull | None
) -> Policy:
    """Replace a project's own rules: None is what the settings say, UNLIMITED is no limit. What holds from now on."""
    values = {"keep_days": keep_days, "quota_bytes": quota_bytes, "when_full": when_full or ""}
    with transaction.atomic():
        row, _ = Retention.objects.update_or_create(project=project, defaults=values)
        record("retention.changed", project, actor, project.slug, values)
    return merged(row)


def kept_for() -> Iterator[tuple[Q, int]]:
    """Which rows (by `project_id`) are kept for how many days; those that are kept for ever are left out."""
    own = {row.project_id: row.keep_days or UNLIMITED for row in Retention.objects.exclude(keep_days=None)}
    for days in sorted(set(own.values()) - {UNLIMITED}):
        yield Q(project_id__in=[pk for pk, kept in own.items() if kept == days]), days
    default = default_policy().keep_days
    if default is not None:
        yield ~Q(project_id__in=list(own)), default


def _chosen(own: int | None, default: int | None) -> int | None:
    return default if own is None else own or None
