"""Every write about imports: who runs one, what it found, how it ended.

The row is the truth, the job a hint: a job that finds nothing due, or somebody else at work, ends at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q

from core.background import defer
from core.database import shared_now
from core.text import storable
from debugfiles.appstore.models import APP_ID_LENGTH, ERROR_LENGTH, AppStoreBuild, AppStoreImport, BuildState, State
from engine.errors import SymbolsvcError
from projects import audit
from projects.access import Actor
from sources.models import SymbolSource
from sources.types import app_store_connect
from sources.types.app_store_connect.problems import AppStoreFailure, Problem
from sources.types.app_store_connect.wire import TEXT_LENGTH

TYPE: Final = app_store_connect.TYPE.name
LEASE: Final = timedelta(seconds=120)
EVERY: Final = timedelta(hours=1)
# A build that could not be fetched is tried again soon, and set aside in the end.
AGAIN: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 5
# A revoked key stays revoked; Apple's own mistakes pass.
REFUSED_FOR: Final = timedelta(days=1)
BACK_OFF: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=6)
SHORTEST: Final = timedelta(minutes=1)
# Due at once at each sweep; the rest at the next.
WINDOW: Final = 100

_REFUSED: Final = frozenset({Problem.KEY_REFUSED, Problem.FORBIDDEN, Problem.AGREEMENT, Problem.APP_MISSING})
_UNUSABLE: Final = frozenset({Problem.INCOMPLETE, Problem.KEY_UNREADABLE})


class LeaseLost(SymbolsvcError):
    """Somebody else runs the import, the source was changed, or it is gone: what was begun is of no use."""

    code = "lease_lost"

    def __init__(self) -> None:
        super().__init__("the import was taken over or stopped")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run the import of one source."""

    source_pk: UUID
    token: UUID


def notice_source(
    *, instance: SymbolSource, update_fields: frozenset[str] | None = None, raw: bool = False, **_: Any
) -> None:
    """Have a source imported that was stored or changed; a running import of it gives up first."""
    if raw or update_fields is not None:
        return
    if instance.type != TYPE or instance.project_id is None:
        AppStoreImport.objects.filter(source=instance).delete()
        return
    app_id = _app_id(instance)
    with transaction.atomic():
        row, _created = AppStoreImport.objects.select_for_update().get_or_create(source=instance)
        AppStoreBuild.objects.filter(app_import=row).exclude(app_import__app_id=app_id).delete()
        row.stop = row.lease is not None
        row.walked = row.walked and row.app_id == app_id
        row.app_id, row.state, row.problem, row.error = app_id, State.NEW, "", ""
        row.failures, row.next_run = 0, shared_now()
        row.save()
        hint(row.pk)


def add_missing() -> None:
    """Make the rows of sources that have none, however they came to be."""
    lacking = SymbolSource.objects.filter(type=TYPE, project__isnull=False, app_store_import=None)
    for source in lacking.order_by("pk")[:WINDOW]:
        notice_source(instance=source)


def hint(source_pk: UUID) -> None:
    """Have a worker look at the import soon; at most one such job waits."""
    from debugfiles.appstore.tasks import import_dsyms

    defer(import_dsyms, queueing_lock=f"appstore-{source_pk}", source=str(source_pk))


def due() -> list[UUID]:
    """The imports that somebody should run now, the longest overdue first."""
    rows = AppStoreImport.objects.filter(_free(shared_now())).order_by("next_run")
    return list(rows.values_list("pk", flat=True)[:WINDOW])


def request_import(*, source: SymbolSource, actor: Actor) -> AppStoreImport:
    """Have the source imported now, builds that were set aside included; what Apple asked to wait for is waited for."""
    with transaction.atomic():
        row, _ = AppStoreImport.objects.select_for_update().get_or_create(source=source)
        failed = AppStoreBuild.objects.filter(app_import=row, state=BuildState.FAILED)
        failed.update(state=BuildState.PENDING, attempts=0)
        if row.problem != Problem.RATE_LIMITED or row.next_run is None:
            row.next_run = shared_now()
        row.walked = False
        row.save(update_fields=["next_run", "walked"])
        audit.record(
            organization=source.organization,
            project=source.project,
            actor=actor,
            action="app_store_import.requested",
            target=source.source_id,
            data={},
        )
        hint(row.pk)
    return row


def take(source_pk: UUID) -> Lease | None:
    """The right to run an import, if it is due and nobody has it."""
    now, token = shared_now(), uuid4()
    with transaction.atomic():
        rows = AppStoreImport.objects.select_for_update(skip_locked=True, of=("self",))
        row = rows.filter(_free(now), pk=source_pk).first()
        if row is None:
            return None
        # Whoever dies with the lease leaves the row as it is here: due again, later each time.
        row.lease, row.lease_until, row.stop = token, now + LEASE, False
        row.next_run = now + max(LEASE, _back_off(row.failures))
        row.failures, row.started_at = row.failures + 1, now
        row.save()
    return Lease(source_pk, token)


def renew(lease: Lease) -> bool:
    """Hold the lease for two more minutes; False when it is lost, or should be given up."""
    held = AppStoreImport.objects.filter(pk=lease.source_pk, lease=lease.token, stop=False)
    return bool(held.update(lease_until=shared_now() + LEASE))


@contextmanager
def holding(lease: Lease) -> Iterator[AppStoreImport]:
    """A transaction in which the lease is certain to be held. Raises LeaseLost."""
    with transaction.atomic():
        rows = AppStoreImport.objects.select_for_update(of=("self",)).select_related(
            "source__project__organization", "source__organization"
        )
        row = rows.filter(pk=lease.source_pk, lease=lease.token, stop=False).first()
        if row is None:
            raise LeaseLost
        yield row


def succeed(lease: Lease, *, walked: bool) -> None:
    """The import came to its end."""
    with _ending(lease) as row:
        now = shared_now()
        pending = AppStoreBuild.objects.filter(app_import=row, state=BuildState.PENDING).exists()
        row.state, row.problem, row.error, row.failures = State.OK, "", "", 0
        row.walked, row.succeeded_at = row.walked or walked, now
        row.next_run = now + (AGAIN if pending else EVERY)


def pause(lease: Lease) -> None:
    """The time of this run is over, and there is more to do."""
    with _ending(lease) as row:
        row.state, row.problem, row.error, row.failures = State.GOING_ON, "", "", 0
        row.next_run = shared_now()


def fail(lease: Lease, failure: AppStoreFailure) -> None:
    """The import ended with a failure, which also decides when it is tried again."""
    with _ending(lease) as row:
        row.state, row.problem = _state_after(failure), failure.problem.value
        row.error = storable(failure.details)[:ERROR_LENGTH]
        row.next_run = _next_after(failure, row.failures)


def give_up(lease: Lease) -> None:
    """The run was stopped, or the lease lost: nothing is written but that nobody works on it any more."""
    with suppress(LeaseLost), _ending(lease):
        pass


@contextmanager
def _ending(lease: Lease) -> Iterator[AppStoreImport]:
    """The row to write the end of a run to. A source changed meanwhile is due at once, whatever is written.

    Raises LeaseLost.
    """
    with transaction.atomic():
        rows = AppStoreImport.objects.select_for_update()
        row = rows.filter(pk=lease.source_pk, lease=lease.token).first()
        if row is None:
            raise LeaseLost
        changed = (row.state, row.problem, row.error, row.walked) if row.stop else None
        yield row
        row.lease = row.lease_until = None
        if changed is not None:
            row.state, row.problem, row.error, row.walked = changed
            row.stop, row.failures, row.next_run = False, 0, shared_now()
        row.save()
        if row.next_run is not None and row.next_run <= shared_now():
            hint(row.pk)


def set_app(lease: Lease, name: str) -> None:
    """Note how the app is called."""
    with holding(lease) as row:
        if row.app_name != name:
            row.app_name = storable(name)[:TEXT_LENGTH]
            row.save(update_fields=["app_name"])


def _state_after(failure: AppStoreFailure) -> State:
    if failure.problem in _UNUSABLE:
        return State.NOT_CONFIGURED
    return State.REFUSED if failure.problem in _REFUSED else State.DELAYED


def _next_after(failure: AppStoreFailure, failures: int) -> datetime | None:
    """When to try again; None for what only a change of the source can help."""
    now = shared_now()
    if failure.problem in _UNUSABLE:
        return None
    if failure.problem in _REFUSED:
        return now + REFUSED_FOR
    if failure.retry_after is not None:
        return now + min(max(timedelta(seconds=min(failure.retry_after, 1e6)), SHORTEST), LONGEST)
    return now + _back_off(failures)


def _back_off(failures: int) -> timedelta:
    """Nothing before the first failure, then 5, 10, 20 minutes and so on, six hours at most."""
    return min(BACK_OFF * 2 ** min(failures - 1, 10), LONGEST) if failures else timedelta()


def _free(now: datetime) -> Q:
    return Q(next_run__lte=now, source__enabled=True) & (Q(lease=None) | Q(lease_until__lt=now))


def _app_id(source: SymbolSource) -> str:
    found = source.fields.get("appId")
    return found[:APP_ID_LENGTH] if isinstance(found, str) else ""
