"""Asking the sources for lacked files at once, because somebody wants it."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone

from core.api import ApiError, not_found
from crashes.models import LackedFile
from projects import audit
from projects.access import ProjectAccess

# Nobody else's turn comes later for it than this many files of one project.
_MOST: Final = 1_000


def ask_now(*, access: ProjectAccess, file_id: int) -> LackedFile:
    """Make a file due, so that the sources are asked for it within the minute, also when it had been given up.

    Raises NotFound, and ApiError (409) for a file that no source could have.
    """
    with transaction.atomic():
        file = LackedFile.objects.select_for_update(no_key=True).filter(project=access.project, pk=file_id).first()
        if file is None:
            raise not_found()
        if not file.module:
            raise ApiError("Only an upload can bring this file: no source is asked for such files.", status=409)
        file.next_probe_at, file.probes = timezone.now(), 0
        file.save(update_fields=["next_probe_at", "probes"])
        _audit(access, file.name, {"file": file.pk, "debug_id": file.debug_id, "code_id": file.code_id})
    return file


def ask_for_all_now(*, access: ProjectAccess) -> int:
    """Make the project's files due that a source could have, the newest 1,000 of them; how many."""
    with transaction.atomic():
        asked = LackedFile.objects.filter(project=access.project).exclude(module={}).order_by("-pk")
        held = asked.filter(pk__in=list(asked.values_list("pk", flat=True)[:_MOST]))
        count = held.order_by().update(next_probe_at=timezone.now(), probes=0)
        if count:
            _audit(access, f"{count} files", {"count": count})
    return count


def _audit(access: ProjectAccess, target: str, data: dict[str, object]) -> None:
    audit.record(
        organization=access.organization,
        project=access.project,
        actor=access.actor,
        action="lacked_file.asked_again",
        target=target,
        data=data,
    )
