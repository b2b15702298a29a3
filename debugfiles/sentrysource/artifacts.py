"""Which bundles and single files answer an artifact lookup."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from debugfiles.contents import touch
from debugfiles.models import ArtifactBundle, ArtifactEntry, Blob, ReleaseFile
from engine.javascript.artifacts import ResolvedWith
from engine.modules import DebugId
from projects.models import Project

BUNDLE: Final = "artifact_bundle"
FILE: Final = "release_file"
_MOST: Final = 24
# Of a release, whose files are looked through one by one.
_MOST_BUNDLES: Final = 100
_MOST_ASKED: Final = 64
_LONGEST_ID: Final = 18


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is asked: `urls` are parts of URLs, all of a release; a dist is empty for none."""

    release: str
    dist: str
    urls: tuple[str, ...]
    debug_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A bundle, or a file with its URL and headers. `id` is for `content_of`."""

    id: str
    resolved_with: ResolvedWith
    url: str = ""
    headers: dict[str, str] | None = None


def look_up(project: Project, lookup: Lookup) -> list[Artifact]:
    """Bundles by debug id, then bundles of the release, then its single files; the newest of each first."""
    bundles = dict.fromkeys(_bundles_by_debug_id(project, lookup), ResolvedWith.DEBUG_ID)
    for pk in _bundles_of_release(project, lookup):
        bundles.setdefault(pk, ResolvedWith.RELEASE)
    files = _files_of_release(project, lookup)
    touch(ArtifactBundle, list(bundles))
    touch(ReleaseFile, [row.pk for row in files])
    found = [Artifact(f"{BUNDLE}/{pk}", how) for pk, how in bundles.items()]
    old = ResolvedWith.RELEASE_OLD
    return [*found, *(Artifact(f"{FILE}/{row.pk}", old, row.name, dict(row.headers)) for row in files)]


def content_of(project: Project, artifact_id: str) -> tuple[Blob, str] | None:
    """The content behind an id of a lookup, and a name for it; None when it is not there (any more)."""
    kind, _, digits = artifact_id.partition("/")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_ID:
        return None
    if kind == BUNDLE:
        bundle = ArtifactBundle.objects.filter(projects=project, pk=int(digits)).select_related("blob").first()
        return None if bundle is None else (bundle.blob, bundle.name or f"{bundle.pk}.zip")
    if kind == FILE:
        file = ReleaseFile.objects.filter(project=project, pk=int(digits)).select_related("blob").first()
        return None if file is None else (file.blob, file.name.rpartition("/")[2])
    return None


def _bundles_by_debug_id(project: Project, lookup: Lookup) -> list[int]:
    uuids = list(_uuids(lookup.debug_ids))[:_MOST_ASKED]
    if not uuids:
        return []
    entries = ArtifactEntry.objects.filter(
        organization_id=project.organization_id, debug_uuid__in=uuids, bundle__projects=project
    )
    # A bundle has a few entries of one debug id.
    found = entries.order_by("-bundle_id").values_list("bundle_id", flat=True).distinct()
    return list(found[:_MOST])


def _bundles_of_release(project: Project, lookup: Lookup) -> list[int]:
    if not lookup.release or not lookup.urls:
        return []
    own = ArtifactBundle.objects.filter(
        organization_id=project.organization_id, projects=project, release=lookup.release, dist=lookup.dist
    )
    newest = list(own.order_by("-pk").values_list("pk", flat=True)[:_MOST_BUNDLES])
    held = ArtifactEntry.objects.filter(_contains("url", lookup.urls), bundle=OuterRef("pk"))
    found = ArtifactBundle.objects.filter(Exists(held), pk__in=newest).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:_MOST])


def _files_of_release(project: Project, lookup: Lookup) -> list[ReleaseFile]:
    if not lookup.release or not lookup.urls:
        return []
    files = ReleaseFile.objects.filter(
        _contains("name", lookup.urls),
        project=project,
        release__organization_id=project.organization_id,
        release__version=lookup.release,
        dist=lookup.dist,
    )
    return list(files.order_by("-pk")[:_MOST])


def _contains(column: str, parts: Iterable[str]) -> Q:
    """Whether a URL has one of the parts in it, as it is: Django's own `contains` escapes wildcards."""
    asked = Q()
    for part in list(dict.fromkeys(parts))[:_MOST_ASKED]:
        asked |= Q(**{f"{column}__contains": part})
    return asked


def _uuids(texts: Iterable[str]) -> Iterable[UUID]:
    parsed = (DebugId.parse(text) for text in dict.fromkeys(texts))
    return (one.uuid for one in parsed if one is not None)
