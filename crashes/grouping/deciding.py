"""What people decide about groups."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from crashes.models import Group
from projects import audit
from projects.access import Actor


def set_state(*, group: Group, state: Group.State, actor: Actor) -> Group:
    """Resolve a group, ignore it or open it again; nothing happens to one that is in this state already.

    Crashes from after now open a resolved group. Raises Group.DoesNotExist when its last crash has just left it.
    """
    with transaction.atomic():
        locked = Group.objects.select_for_update(of=("self",)).select_related("project__organization").get(pk=group.pk)
        before = locked.state
        if before == state:
            return locked
        locked.state = state
        locked.resolved_at = timezone.now() if state == Group.State.RESOLVED else None
        locked.save(update_fields=("state", "resolved_at"))
        audit.record(
            organization=locked.project.organization,
            project=locked.project,
            actor=actor,
            action="crash_group.changed",
            target=f"{locked.pk} {locked.title}",
            data={"state": state.value, "before": before},
        )
    return locked
