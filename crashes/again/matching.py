"""Which lacked files a stored file is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

from django.db.models import Max, Q, QuerySet

from core.postgresql.direct import first_row
from crashes.again.lacks import LackKind
from crashes.models import LackedFile
from debugfiles.arrivals import ArrivalKind, Arrived, ids_of
from debugfiles.models import ArtifactBundle, ArtifactEntry, DebugFile, ReleaseFile
from engine.modules import DebugId

_MAP: Final = ".map"
_SCRIPTS: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".bundle", ".jsbundle", ".hbc")
# Names of a release that are compared, the newest ones.
_MOST_NAMES: Final = 20_000
_LACKED: Final = """
    SELECT 1 FROM debugfiles_debugfile came WHERE came.id = ANY(%(rows)s) AND (
        EXISTS (SELECT 1 FROM crashes_lackedfile WHERE project_id = %(project)s AND debug_uuid = came.debug_uuid)
        OR came.code_id <> '' AND EXISTS (
            SELECT 1 FROM crashes_lackedfile WHERE project_id = %(project)s AND code_id = came.code_id
        )
    ) LIMIT 1
"""


def lacked(arrived: Arrived) -> list[int]:
    """The project's lacked files that what arrived can be, by the ids that lookups go by."""
    ids = ids_of(arrived)
    asked = Q()
    if ids.debug_uuids:
        asked |= Q(debug_uuid__in=ids.debug_uuids)
    if ids.code_ids:
        asked |= Q(code_id__in=ids.code_ids)
    found = _files(arrived.project_id, asked) if asked else []
    if arrived.kind is ArrivalKind.DEBUG_FILES:
        return sorted(_among_debug_files(arrived.project_id, found))
    chosen = {file.pk for file in found}
    if ids.release:
        of_release = _files(arrived.project_id, Q(release=ids.release, dist=ids.dist))
        chosen |= _named(of_release, _names(arrived), sole=arrived.kind is ArrivalKind.RELEASE_FILE)
    return sorted(chosen)


def may_be_lacked(arrived: Arrived) -> bool:
    """Whether the project lacks a file by an id of these debug files, as the database has both now."""
    return first_row(_LACKED, {"project": arrived.project_id, "rows": list(arrived.row_ids)}) is not None


def stored(project_id: int, files: Collection[LackedFile]) -> set[int]:
    """Which of these lacked files the project has by now, as far as ids tell."""
    return _among_debug_files(project_id, files) | _among_artifacts(project_id, files)


def _files(project_id: int, asked: Q) -> list[LackedFile]:
    return list(LackedFile.objects.filter(asked, project_id=project_id))


def _among_debug_files(project_id: int, files: Iterable[LackedFile]) -> set[int]:
    """As a lookup asks: a later age serves, an earlier one does not, and a code id serves without a debug id."""
    asked = list(files)
    rows = DebugFile.objects.filter(project_id=project_id)
    uuids = {file.debug_uuid for file in asked if file.debug_uuid is not None}
    code_ids = {file.code_id for file in asked if file.code_id}
    by_uuid = rows.filter(debug_uuid__in=uuids).order_by().values("debug_uuid").annotate(newest=Max("debug_appendix"))
    ages = {row["debug_uuid"]: row["newest"] for row in by_uuid} if uuids else {}
    codes = set(rows.filter(code_id__in=code_ids).values_list("code_id", flat=True)) if code_ids else set()
    return {
        file.pk
        for file in asked
        if (file.debug_uuid is not None and ages.get(file.debug_uuid, -1) >= _age(file))
        or (file.code_id and file.code_id in codes)
    }


def _age(file: LackedFile) -> int:
    """Only debug files of native code have one; those of others are found by the uuid alone."""
    if file.kind not in (LackKind.DEBUG_FILE, LackKind.UNWIND_FILE):
        return 0
    parsed = DebugId.parse(file.debug_id) if file.debug_id else None
    return parsed.appendix if parsed else 0


def _among_artifacts(project_id: int, files: Iterable[LackedFile]) -> set[int]:
    asked = [file for file in files if file.kind == LackKind.SOURCE_MAP]
    uuids = {file.debug_uuid for file in asked if file.debug_uuid is not None}
    entries = ArtifactEntry.objects.filter(bundle__projects=project_id, debug_uuid__in=uuids)
    had = set(entries.values_list("debug_uuid", flat=True)) if uuids else set()
    found = {file.pk for file in asked if file.debug_uuid in had}
    for release, dist in {(file.release, file.dist) for file in asked if file.release}:
        of_release = [file for file in asked if (file.release, file.dist) == (release, dist)]
        found |= _of_release(project_id, release, dist, of_release)
    return found


def _of_release(project_id: int, release: str, dist: str, files: Collection[LackedFile]) -> set[int]:
    bundles = ArtifactBundle.objects.filter(projects=project_id, release=release, dist=dist)
    names = ReleaseFile.objects.filter(project_id=project_id, release__version=release, dist=dist)
    return _named(files, _urls(bundles) + _newest(names.values_list("name", flat=True)), sole=False)


def _names(arrived: Arrived) -> list[str]:
    if arrived.kind is ArrivalKind.ARTIFACT_BUNDLE:
        return _urls(ArtifactBundle.objects.filter(projects=arrived.project_id, pk__in=arrived.row_ids))
    found = ReleaseFile.objects.filter(project_id=arrived.project_id, pk__in=arrived.row_ids)
    return list(found.values_list("name", flat=True))


def _urls(bundles: QuerySet[ArtifactBundle]) -> list[str]:
    pks = list(bundles.order_by("-pk").values_list("pk", flat=True)[:_MOST_NAMES])
    return _newest(ArtifactEntry.objects.filter(bundle__in=pks).values_list("url", flat=True))


def _newest(names: QuerySet[ReleaseFile, str] | QuerySet[ArtifactEntry, str]) -> list[str]:
    return list(names.order_by("-pk")[:_MOST_NAMES])


def _named(files: Collection[LackedFile], names: Collection[str], *, sole: bool) -> set[int]:
    """The files that have one of these names, scripts and their maps taken together.

    A map that comes alone (`sole`) under a name of its own may be that of any script of its release.
    """
    stems = {stem(name) for name in names}
    found = {file.pk for file in files if stem(file.name) in stems}
    if not found and sole and any(name.endswith(_MAP) for name in names):
        return {file.pk for file in files}
    return found


def stem(url: str) -> str:
    """The name of a script without what tells it from its map: `https://a/b/app.js` and `~/app.js.map` give `app`."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    name = path.replace("\\", "/").rpartition("/")[2].removesuffix(_MAP)
    for suffix in _SCRIPTS:
        name = name.removesuffix(suffix)
    return name
