"""How imports stand."""

from __future__ import annotations

from typing import Any, Final, cast

from django.db.models import Count, Q, Sum

from core.database import shared_now
from debugfiles.appstore.bodies import AppStoreStatus, BuildCounts, BuildTrouble, ImportProblem, State
from debugfiles.appstore.models import AppStoreBuild, AppStoreImport, BuildState
from debugfiles.appstore.services import TYPE
from projects.access import ProjectAccess
from sources.models import SymbolSource
from sources.types.app_store_connect.problems import Problem, remedy_of

MOST_TROUBLES: Final = 10
INHERITED: Final = ImportProblem(
    "inherited",
    "the source is the organization's, and imports go into projects",
    "Add the source to the project that the app belongs to.",
)


def app_store_sources(access: ProjectAccess) -> list[SymbolSource]:
    """The App Store Connect sources of a project, then those of its organization, which are not imported."""
    own = Q(project=access.project) | Q(project=None)
    rows = SymbolSource.objects.filter(own, organization=access.organization, type=TYPE)
    return sorted(rows.select_related("app_store_import"), key=lambda row: (row.project_id is None, row.position))


def status_of(source: SymbolSource) -> AppStoreStatus:
    """How the import of a source stands; two queries."""
    found: AppStoreImport = getattr(source, "app_store_import", None) or AppStoreImport(source=source)
    builds = AppStoreBuild.objects.filter(app_import_id=source.pk)
    return AppStoreStatus(
        source_id=source.source_id,
        name=source.name,
        app_id=_app_id(source),
        app_name=found.app_name,
        state=_state(source, found),
        last_start=found.started_at,
        last_import=found.succeeded_at,
        next_import=None if source.project_id is None else found.next_run,
        error=_error(source, found),
        **_numbers(builds.aggregate(**_COUNTED)),
        troubles=[_trouble(build) for build in builds.exclude(error="").order_by("-id")[:MOST_TROUBLES]],
    )


_COUNTED: Final[dict[str, Any]] = {
    "seen": Count("pk"),
    "files": Sum("files", default=0),
    **{state.value: Count("pk", filter=Q(state=state)) for state in BuildState},
}


def _numbers(counted: dict[str, int]) -> dict[str, Any]:
    files = counted.pop("files")
    return {"files": files, "builds": BuildCounts(**counted)}


def _state(source: SymbolSource, found: AppStoreImport) -> State:
    if source.project_id is None:
        return "inherited"
    running = found.lease is not None and found.lease_until is not None and found.lease_until > shared_now()
    return "running" if running else cast(State, found.state)


def _error(source: SymbolSource, found: AppStoreImport) -> ImportProblem | None:
    if source.project_id is None:
        return INHERITED
    if not found.problem:
        return None
    known = Problem(found.problem) if found.problem in set(Problem) else Problem.INTERNAL
    return ImportProblem(known.value, found.error, remedy_of(known))


def _trouble(build: AppStoreBuild) -> BuildTrouble:
    return BuildTrouble(build.build_id, build.version, build.state, build.attempts, build.error)


def _app_id(source: SymbolSource) -> str:
    found = source.fields.get("appId")
    return found if isinstance(found, str) else ""
