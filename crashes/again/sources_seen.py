"""Noticing that a project's sources have changed: what its crashes lack is asked for anew then."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from crashes.again import gap
from crashes.models import LackedFile, SourcesSeen
from projects.models import Project

_MOST: Final = 200


def make_due_after_changes() -> int:
    """Make the lacked files of projects due whose own or inherited sources changed; of how many projects."""
    lacked = LackedFile.objects.filter(project=OuterRef("pk"))
    unseen = (
        Q(sources_seen=None)
        | ~Q(sources_seen__project_revision=F("sources_revision"))
        | ~Q(sources_seen__organization_revision=F("organization__sources_revision"))
    )
    changed = list(Project.objects.filter(unseen, Exists(lacked)).values_list("pk", flat=True)[:_MOST])
    for project_id in changed:
        # Crashes that were processed with the old sources have stored what they lack when this returns.
        gap.wait(project_id)
        _make_due(project_id)
    return len(changed)


@transaction.atomic
def _make_due(project_id: int) -> None:
    project = Project.objects.select_related("organization").filter(pk=project_id).first()
    if project is None:
        return
    now = {
        "project_revision": project.sources_revision,
        "organization_revision": project.organization.sources_revision,
    }
    _, is_new = SourcesSeen.objects.update_or_create(project=project, defaults=now)
    files = LackedFile.objects.filter(project=project).exclude(module={})
    # Of a project that nobody has looked at yet only those that had nobody to ask.
    if is_new:
        files = files.filter(next_probe_at=None)
    files.update(next_probe_at=timezone.now(), probes=0)
