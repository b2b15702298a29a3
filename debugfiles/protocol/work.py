"""The background's side of assemblies: taken under a lease, counted, finished by whoever still holds it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import Error, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from core.api import ApiError
from core.blobs import BlobError, BlobMissing, BlobTooLarge
from core.database import release
from core.text import storable
from debugfiles.protocol.assemblies import defer_assembly
from debugfiles.protocol.assembling import Made, assemble
from debugfiles.protocol.models import Assembly
from debugfiles.protocol.wanted import Kind, Wanted
from engine.modules import DebugId
from projects.access import Actor
from projects.models import Project

log = logging.getLogger(__name__)

# Shorter than what a job takes to be seen as stalled, so that the next worker finds it free.
LEASE: Final = timedelta(seconds=30)
RENEW_SECONDS: Final = 8.0
ATTEMPTS: Final = 3
KEPT: Final = timedelta(days=1)
# A row without a lease for so long has lost its job.
_OVERDUE: Final = timedelta(minutes=2)
_GAVE_UP: Final = f"The file could not be assembled in {ATTEMPTS} attempts. The log of the service says why."
_PERMANENT: Final = (BlobMissing, BlobTooLarge)
_SERVER_FAULT: Final = 500
_AT_ONCE: Final = 1000


def work(assembly_id: int) -> None:
    """Assemble what the row wants, unless somebody else does or did. Raises what is worth another attempt."""
    row = _take(assembly_id)
    if row is None:
        return
    with _lease(row) as token:
        try:
            made = assemble(_wanted(row), _actor(row))
        except (ApiError, BlobError) as error:
            if _is_passing(error) and row.attempt < ATTEMPTS:
                raise
            _finish(row.pk, token, error)
        else:
            _finish(row.pk, token, made)


def sweep() -> int:
    """Give up what failed too often, and hint at what nobody works on; how many of both."""
    idle = _unfinished().filter(
        Q(lease_until__lt=Now()) | Q(lease_until__isnull=True, created_at__lt=Now() - _OVERDUE),
    )
    spent = idle.filter(attempt__gte=ATTEMPTS)
    given_up = spent.update(state=Assembly.FAILED, detail=_GAVE_UP, finished_at=Now(), lease_until=None)
    waiting = list(idle.values_list("pk", flat=True)[:_AT_ONCE])
    for pk in waiting:
        defer_assembly(pk)
    return given_up + len(waiting)


def delete_finished() -> int:
    """Forget what ended long ago: nobody polls for it any more."""
    count, _ = Assembly.objects.filter(finished_at__lt=Now() - KEPT).delete()
    return count


def _unfinished() -> QuerySet[Assembly]:
    return Assembly.objects.filter(finished_at__isnull=True)


def _take(assembly_id: int) -> Assembly | None:
    """The row, leased; None when there is nothing to do."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    with transaction.atomic():
        row = _unfinished().select_for_update(of=("self",)).filter(free, pk=assembly_id).first()
        if row is None:
            return None
        ours = Assembly.objects.filter(pk=row.pk)
        if row.attempt >= ATTEMPTS:
            ours.update(state=Assembly.FAILED, detail=_GAVE_UP, finished_at=Now(), lease_until=None)
            return None
        row.lease_token, row.attempt = uuid4(), row.attempt + 1
        ours.update(
            state=Assembly.RUNNING,
            attempt=row.attempt,
            lease_token=row.lease_token,
            lease_until=Now() + LEASE,
        )
    return row


@contextmanager
def _lease(row: Assembly) -> Iterator[UUID]:
    """Renews the lease while the block runs, and gives it back where the block did not finish the row."""
    token = row.lease_token
    assert token is not None  # noqa: S101 - set when the row was taken
    ended = threading.Event()
    keeper = threading.Thread(target=_renew, args=(row.pk, token, ended), name="assembly-lease", daemon=True)
    keeper.start()
    try:
        yield token
    finally:
        ended.set()
        keeper.join()
        _held(row.pk, token).update(lease_until=F("lease_until") - LEASE)


def _renew(assembly_id: int, token: UUID, ended: threading.Event) -> None:
    try:
        while not ended.wait(RENEW_SECONDS):
            try:
                _held(assembly_id, token).update(lease_until=Now() + LEASE)
            except Error:
                # The next round may come before the lease runs out; if not, somebody else does the same once more.
                log.exception("the lease of assembly %d could not be renewed", assembly_id)
            release()
    finally:
        release()


def _held(assembly_id: int, token: UUID) -> QuerySet[Assembly]:
    return _unfinished().filter(pk=assembly_id, lease_token=token)


def _finish(assembly_id: int, token: UUID, result: Made | ApiError | BlobError) -> None:
    if isinstance(result, Made):
        _held(assembly_id, token).update(
            state=Assembly.DONE, results=list(result.ids), finished_at=Now(), lease_until=None
        )
        return
    log.warning("assembly %d failed: %s", assembly_id, result.message)
    _held(assembly_id, token).update(
        state=Assembly.FAILED, detail=storable(result.message), finished_at=Now(), lease_until=None
    )


def _is_passing(error: ApiError | BlobError) -> bool:
    return error.status >= _SERVER_FAULT and not isinstance(error, _PERMANENT)


def _actor(row: Assembly) -> Actor:
    if row.token_prefix:
        return Actor("token", token_id=row.token_id, token_prefix=row.token_prefix)
    return Actor("system") if row.user_id is None else Actor("user", row.user_id)


def _wanted(row: Assembly) -> Wanted:
    """What the row says. Projects that were deleted meanwhile are left out. Raises ApiError when none is left."""
    found = Project.objects.filter(organization=row.organization_id, pk__in=row.project_ids)
    projects = tuple(found.select_related("organization").order_by("pk"))
    if not projects:
        raise ApiError("The project does not exist any more.", code="not_found")
    return Wanted(
        kind=Kind(row.kind),
        organization=row.organization,
        projects=projects,
        checksum=row.checksum,
        chunks=tuple(row.chunks),
        name=row.name,
        debug_id=DebugId.parse(row.debug_id),
        release=row.release,
        dist=row.dist,
    )
