"""What every write of uploads does besides: the audit entry, and the count that makes older answers stale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from projects import audit
from projects.access import Actor
from projects.models import Project


def record(action: str, project: Project, actor: Actor, target: str, data: Mapping[str, Any]) -> None:
    """One audit entry of the project."""
    audit.record(
        organization=project.organization, project=project, actor=actor, action=action, target=target, data=data
    )


def count_change(project: Project) -> None:
    """Note that the project's files changed. Last in its transaction: other uploads wait for the row."""
    Project.objects.filter(pk=project.pk).update(files_revision=F("files_revision") + 1)
