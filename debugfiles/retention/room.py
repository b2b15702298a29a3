"""Quotas: whether an upload fits, and making room for it where the project says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.models import Q

from core.api import ApiError
from core.blobs import Incoming
from debugfiles.models import Blob
from debugfiles.retention.holdings import KINDS, Held, Kind, holds, remove, used_bytes
from debugfiles.retention.policy import WhenFull, policy_of
from projects.access import Actor
from projects.models import Project

_WINDOW: Final = 200


def check_room(project: Project, incoming: Incoming) -> None:
    """Refuse what will not fit before it is stored. Raises ApiError (413); a content that is there already fits."""
    policy = policy_of(project)
    if policy.quota_bytes is None:
        return
    used = 0 if policy.when_full is WhenFull.EVICT else used_bytes(project)
    if used + incoming.size > policy.quota_bytes and not holds(project, incoming.finish().sha256):
        raise _too_much(used + incoming.size, policy.quota_bytes)


def make_room(project: Project, actor: Actor, blob: Blob) -> None:
    """Hold the project to its quota, once the rows of a new upload are there. Raises ApiError (413).

    Inside the transaction that made them; other uploads to a project with a quota wait from here on.
    """
    policy = policy_of(project)
    if policy.quota_bytes is None:
        return
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    used = used_bytes(project)
    if policy.when_full is WhenFull.EVICT:
        while used > policy.quota_bytes and _evict(project, actor, blob, used - policy.quota_bytes):
            used = used_bytes(project)
    if used > policy.quota_bytes:
        raise _too_much(used, policy.quota_bytes)


def _evict(project: Project, actor: Actor, kept: Blob, excess: int) -> bool:
    """Delete what was used longest ago, enough of it to free `excess` bytes if nothing else needs its content."""
    chosen = list(_enough(_oldest(project, kept), excess))
    for kind in KINDS:
        things = [thing for thing in chosen if thing.kind is kind]
        if things:
            remove(project, actor, kind, things, "evicted")
    return bool(chosen)


def _oldest(project: Project, kept: Blob) -> list[Held]:
    found = [thing for kind in KINDS for thing in _oldest_of(kind, project, kept)]
    return sorted(found, key=lambda thing: thing.last_used)[:_WINDOW]


def _oldest_of(kind: Kind, project: Project, kept: Blob) -> list[Held]:
    others = kind.rows(Q(project=project), ~Q(**{kind.column("blob_id"): kept.pk}))
    pks = list(others.order_by(kind.column("last_used"), "pk").values_list("pk", flat=True)[:_WINDOW])
    return kind.locked(Q(pk__in=pks))


def _enough(things: list[Held], excess: int) -> Iterator[Held]:
    """All rows of a content together, since it goes with the last of them."""
    sizes = dict(Blob.objects.filter(pk__in={thing.blob_id for thing in things}).values_list("pk", "size"))
    going: set[int] = set()
    for thing in things:
        if thing.blob_id not in going and excess > 0:
            going.add(thing.blob_id)
            excess -= sizes[thing.blob_id]
    return (thing for thing in things if thing.blob_id in going)


def _too_much(needed: int, quota: int) -> ApiError:
    text = (
        f"The project's files would take {needed} bytes, and its quota is {quota}."
        " Delete what is not needed any more, or have the quota raised (debug-files/retention/)."
    )
    return ApiError(text, status=413, code="quota")
