"""A project's own scripts and source maps as a provider of the engine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import Error as DatabaseError
from django.db.models import CharField, F, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from core.database import release
from core.text import storable
from debugfiles.bundles import text_key
from debugfiles.contents import TOUCH_EVERY, touch
from debugfiles.models import ArtifactBundle, ArtifactEntry, Blob, ReleaseFile
from debugfiles.providers.fetching import absent, cache_key, copy_content
from debugfiles.providers.files import SOURCE_ID
from debugfiles.providers.near_misses import near_misses
from engine.javascript.artifacts import Listed, ListedBundle, ListedFile, NearMiss, Query, ResolvedWith
from engine.modules import DebugId
from engine.outgoing import Deadline
from projects.access import ProjectAccess
from projects.models import Project

log = logging.getLogger(__name__)

_BUNDLE: Final = "artifact_bundle"
_FILE: Final = "release_file"
# Ids are compared as texts where the newest bundle is preferred.
_ID_DIGITS: Final = 12
# Rows of an answer for each way of asking; a bundle has two or three for one debug id.
_MOST: Final = 24
_MOST_ASKED: Final = 64


class _Row(NamedTuple):
    kind: str
    pk: int
    url: str
    headers: str
    resolved_with: str
    last_used: datetime


class ProjectArtifacts:
    """The artifacts of one project. Safe to use from several threads. What is behind an id never changes."""

    id = SOURCE_ID

    def __init__(self, project: Project) -> None:
        self._project = project
        self.cache_key = cache_key(project, "artifacts")

    def __repr__(self) -> str:
        return f"<ProjectArtifacts of project {self._project.pk}>"

    def lookup(self, query: Query, deadline: Deadline) -> list[Listed]:
        """The bundles and files for the debug ids, and for release, dist and URL, newest first; one query.

        Nothing, and a line in the log, when the database does not answer.
        """
        deadline.check()
        try:
            rows = _rows(self._project, query)
            _touch(rows)
        except DatabaseError:
            log.exception("the artifacts of a project could not be looked up")
            return []
        finally:
            release()
        listed: dict[str, Listed] = {}
        for row in rows:
            item = _listed(row)
            listed.setdefault(item.id, item)
        return list(listed.values())

    def fetch(self, listed: Listed, target: BinaryIO, deadline: Deadline) -> None:
        """Write the bundle or file to `target`. Raises PassingFailure or DeadlineExceeded."""
        kind, _, digits = listed.id.partition("/")
        try:
            blob = self._blob(kind, int(digits))
        finally:
            release()
        if blob is None:
            raise absent()
        copy_content(blob, target, deadline)

    def near_misses(self, query: Query) -> Sequence[NearMiss]:
        """What was nearly found, for people; nothing when the database does not answer."""
        try:
            return near_misses(self._project, query)
        except DatabaseError:
            log.exception("the artifacts of a project could not be looked up")
            return ()
        finally:
            release()

    def _blob(self, kind: str, pk: int) -> Blob | None:
        if kind == _BUNDLE:
            return Blob.objects.filter(artifact_bundles=pk, artifact_bundles__projects=self._project).first()
        return Blob.objects.filter(release_files=pk, release_files__project=self._project).first()


def project_artifacts(access: ProjectAccess) -> ProjectArtifacts:
    """The artifacts of the opened project; asks nothing yet."""
    return ProjectArtifacts(access.project)


def debug_uuids(query: Query) -> list[UUID]:
    """The debug ids of a query as they are indexed; what is none is left out."""
    parsed = (DebugId.parse(one) if isinstance(one, str) else one for one in query.debug_ids)
    return list(dict.fromkeys(one.uuid for one in parsed if one is not None))[:_MOST_ASKED]


def _rows(project: Project, query: Query) -> list[_Row]:
    parts = list(_parts(project, query))
    if not parts:
        return []
    first, *others = parts
    return [_Row(*row) for row in (first.union(*others, all=True) if others else first)]


def _parts(project: Project, query: Query) -> Iterator[QuerySet[Any, Any]]:
    """The ways of asking, best first; a union keeps them in one query, each with its own limit."""
    in_project = ArtifactEntry.objects.filter(bundle__projects=project)
    uuids = debug_uuids(query)
    if uuids:
        found = in_project.filter(organization_id=project.organization_id, debug_uuid__in=uuids)
        yield _bundles(found, ResolvedWith.DEBUG_ID)
    keys = [text_key(storable(url)) for url in query.urls[:_MOST_ASKED]]
    if not query.release or not keys:
        return
    version, dist = storable(query.release), storable(query.dist or "")
    found = in_project.filter(
        bundle__organization_id=project.organization_id, bundle__release=version, bundle__dist=dist, url_key__in=keys
    )
    yield _bundles(found, ResolvedWith.RELEASE)
    files = ReleaseFile.objects.filter(
        project=project,
        release__organization_id=project.organization_id,
        release__version=version,
        dist=dist,
        url_key__in=keys,
    )
    yield _files(files)


def _bundles(entries: QuerySet[ArtifactEntry], resolved_with: ResolvedWith) -> QuerySet[Any, Any]:
    shown = entries.values_list(
        _text(_BUNDLE), F("bundle_id"), _text(""), _text(""), _text(resolved_with.value), F("bundle__last_used")
    )
    return shown.order_by("-id")[:_MOST]


def _files(files: QuerySet[ReleaseFile]) -> QuerySet[Any, Any]:
    headers = Cast("headers", TextField())
    shown = files.values_list(
        _text(_FILE), F("id"), Cast("name", TextField()), headers, _text(ResolvedWith.RELEASE_OLD.value), F("last_used")
    )
    return shown.order_by("-id")[:_MOST]


def _text(value: str) -> Any:
    return Cast(Value(value, output_field=CharField()), TextField())


def _touch(rows: Sequence[_Row]) -> None:
    stale = timezone.now() - TOUCH_EVERY
    for kind, model in ((_BUNDLE, ArtifactBundle), (_FILE, ReleaseFile)):
        touch(model, {row.pk for row in rows if row.kind == kind and row.last_used < stale})


def _listed(row: _Row) -> Listed:
    name = f"{row.kind}/{row.pk:0{_ID_DIGITS}}"
    if row.kind == _BUNDLE:
        return ListedBundle(name, "", row.resolved_with)
    headers = msgspec.json.decode(row.headers, type=dict[str, str])
    return ListedFile(name, "", row.url, headers, row.resolved_with)
