"""Every write of this room."""

from __future__ import annotations

from django.db import transaction

from projects import audit
from projects.access import Actor
from projects.models import Project
from symbolserver.models import Serving


def set_serving(*, project: Project, actor: Actor, public: bool, sources: bool) -> Serving:
    """How the project's symbol server answers from the next request on. An entry only for what changes."""
    with transaction.atomic():
        row, _ = Serving.objects.select_for_update().get_or_create(project=project)
        changed = {"public": public, "sources": sources}
        if (row.public, row.sources) != (public, sources):
            row.public, row.sources = public, sources
            row.save()
            audit.record(
                organization=project.organization,
                project=project,
                actor=actor,
                action="symbol_server.changed",
                target=project.slug,
                data=changed,
            )
    return row
