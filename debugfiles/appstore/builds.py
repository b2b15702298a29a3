"""Every write about single builds; each is made with the lease held."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from core.text import storable
from debugfiles.appstore.models import ERROR_LENGTH, AppStoreBuild, AppStoreImport, BuildState
from debugfiles.appstore.services import MOST_ATTEMPTS, Lease, holding
from sources.types.app_store_connect.wire import Build

# Apple makes dSYM files within hours of an upload, or never.
WAITED_FOR: Final = timedelta(days=14)
_SETTLED: Final = (BuildState.IMPORTED, BuildState.WITHOUT, BuildState.FAILED)
_HOPELESS: Final = frozenset({"INVALID", "FAILED"})


def record_page(lease: Lease, builds: Collection[Build]) -> tuple[frozenset[str], bool]:
    """Note the builds of a page: the ids of those to fetch, and whether nothing is left to do on it or after it.

    Raises LeaseLost.
    """
    with holding(lease) as row:
        known = {build.build_id: build for build in _rows(row, builds)}
        fresh = [_new(row, build) for build in {build.id: build for build in builds}.values() if build.id not in known]
        AppStoreBuild.objects.bulk_create(fresh)
        for build in builds:
            if build.id in known:
                _update(known[build.id], build)
        rows = list(_rows(row, builds))
        todo = frozenset(found.build_id for found in rows if found.state == BuildState.PENDING)
        settled = not fresh and all(found.state in _SETTLED for found in rows)
        return todo, settled and row.walked and not _older_unsettled(row, rows)


def begin(lease: Lease, build_id: str) -> AppStoreBuild | None:
    """Count an attempt to fetch a build; None when there have been too many. Raises LeaseLost."""
    with holding(lease) as row:
        build = AppStoreBuild.objects.get(app_import=row, build_id=build_id)
        if build.attempts >= MOST_ATTEMPTS:
            build.state = BuildState.FAILED
            build.error = build.error or "the service ended each time that it was fetched"
            build.save(update_fields=["state", "error"])
            return None
        build.attempts += 1
        build.save(update_fields=["attempts"])
        return build


def part_done(lease: Lease, build: AppStoreBuild, part: str, *, files: int, skipped: int, note: str) -> None:
    """The archive of a part is stored, and will not be fetched again. Raises LeaseLost."""
    with holding(lease):
        build.parts = [*build.parts, part]
        build.files, build.skipped = build.files + files, build.skipped + skipped
        build.error = storable(note)[:ERROR_LENGTH] or build.error
        build.save(update_fields=["parts", "files", "skipped", "error"])


def done(lease: Lease, build: AppStoreBuild) -> None:
    """All that Apple offers for the build is stored. Raises LeaseLost."""
    with holding(lease):
        build.state, build.imported_at = BuildState.IMPORTED, timezone.now()
        build.error = "" if not build.skipped else build.error
        build.save(update_fields=["state", "imported_at", "error"])


def failed(lease: Lease, build: AppStoreBuild, why: str) -> None:
    """The build could not be fetched or read; it is set aside after the last attempt. Raises LeaseLost."""
    with holding(lease):
        build.state = BuildState.FAILED if build.attempts >= MOST_ATTEMPTS else BuildState.PENDING
        build.error = storable(why)[:ERROR_LENGTH]
        build.save(update_fields=["state", "error"])


def not_its_fault(lease: Lease, build: AppStoreBuild) -> None:
    """The attempt ended for a reason that says nothing about the build: it does not count. Raises LeaseLost."""
    with holding(lease):
        build.attempts = max(0, build.attempts - 1)
        build.save(update_fields=["attempts"])


def _rows(row: AppStoreImport, builds: Iterable[Build]) -> Iterable[AppStoreBuild]:
    return AppStoreBuild.objects.filter(app_import=row, build_id__in=[build.id for build in builds])


def _new(row: AppStoreImport, build: Build) -> AppStoreBuild:
    return AppStoreBuild(
        app_import=row,
        build_id=build.id,
        version=build.version,
        uploaded_at=build.uploaded_at,
        state=_state(build, (), build.uploaded_at or timezone.now()),
    )


def _update(row: AppStoreBuild, build: Build) -> None:
    state = _state(build, row.parts, row.uploaded_at or row.created_at)
    # What failed for good stays so, until somebody asks for it; what is imported may be joined by another part.
    if row.state == BuildState.FAILED or (row.state == BuildState.IMPORTED and state != BuildState.PENDING):
        return
    if row.state != state:
        row.state = state
        row.save(update_fields=["state"])


def _state(build: Build, parts: Collection[str], since: datetime) -> BuildState:
    offered = [bundle.id for bundle in build.bundles if bundle.dsym_url]
    if any(part not in parts for part in offered):
        return BuildState.PENDING
    if offered:
        return BuildState.IMPORTED
    hopeless = build.processing in _HOPELESS or timezone.now() - since > WAITED_FOR
    return BuildState.WITHOUT if hopeless else BuildState.WAITING


def _older_unsettled(row: AppStoreImport, page: Collection[AppStoreBuild]) -> bool:
    """Whether a page after this one may hold builds that are not settled. Builds come in the order of their upload."""
    ids = [found.build_id for found in page]
    others = AppStoreBuild.objects.filter(app_import=row).exclude(state__in=_SETTLED).exclude(build_id__in=ids)
    oldest = min((found.uploaded_at for found in page if found.uploaded_at), default=None)
    if oldest is not None:
        others = others.filter(Q(uploaded_at=None) | Q(uploaded_at__lte=oldest))
    return others.exists()
