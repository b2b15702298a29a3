"""Artifacts that nearly were the wanted one, and what keeps them from being it, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from django.db.models import Q

from core.text import storable
from debugfiles.bundles import file_name, text_key
from debugfiles.models import ArtifactBundle, ArtifactEntry, ReleaseFile
from engine.javascript.artifacts import NearMiss, Query
from engine.modules import DebugId
from projects.models import Project

_MOST: Final = 5
_MOST_URLS: Final = 64
_SHOWN: Final = 200
# What people's scripts write where they mean that there is none.
_MEANS_NONE: Final = frozenset({"none", "null", "undefined", "nil"})


def near_misses(project: Project, query: Query) -> tuple[NearMiss, ...]:
    """What a person should know when nothing was found for the query, the likeliest first. A few queries."""
    return tuple(islice(_all(project, query), _MOST))


def _all(project: Project, query: Query) -> Iterator[NearMiss]:
    yield from _other_types(project, query)
    if query.urls:
        yield from _same_name(project, query)
    yield from _release(project, query)


def _other_types(project: Project, query: Query) -> Iterator[NearMiss]:
    """The debug id is there, and the file behind it is something else."""
    if query.kind is None:
        return
    parsed = (DebugId.parse(one) if isinstance(one, str) else one for one in query.debug_ids)
    uuids = [one.uuid for one in parsed if one is not None][:_MOST_URLS]
    found = ArtifactEntry.objects.filter(
        organization_id=project.organization_id, debug_uuid__in=uuids, bundle__projects=project
    ).exclude(kind=query.kind.value)
    others = found.order_by("-id").values_list("debug_uuid", "kind", "url")[:_MOST]
    for uuid, kind, url in others if uuids else ():
        article = _named(kind)
        text = f"The debug id {uuid} was uploaded, but as {article}{_at(url)}, not as {_named(query.kind.value)}."
        yield NearMiss("wrong_type", text)


def _same_name(project: Project, query: Query) -> Iterator[NearMiss]:
    """A file of that name is there, under another release, dist or URL."""
    urls = [storable(url) for url in query.urls[:_MOST_URLS]]
    names = {text_key(file_name(url)) for url in urls}
    bundled = ArtifactEntry.objects.filter(
        organization_id=project.organization_id, name_key__in=names, bundle__projects=project
    ).order_by("-id")
    single = ReleaseFile.objects.filter(project=project, name_key__in=names).order_by("-id")
    found = [
        *bundled.values_list("bundle__release", "bundle__dist", "url")[:_MOST],
        *single.values_list("release__version", "dist", "name")[:_MOST],
    ]
    for release, dist, url in dict.fromkeys(found):
        miss = _compared(query, urls, release, dist, url)
        if miss is not None:
            yield miss


def _compared(query: Query, urls: list[str], release: str, dist: str, url: str) -> NearMiss | None:
    if not query.release:
        text = f"The crash names no release; {_quoted(url)} was uploaded for {_version(release)}."
        return NearMiss("no_release", text)
    if release != storable(query.release):
        text = f"{_quoted(url)} was uploaded for {_version(release)}, the crash is of release {_quoted(query.release)}."
        return NearMiss("other_release", text)
    if dist != storable(query.dist or ""):
        return NearMiss("other_dist", _about_dist(url, dist, query.dist or ""))
    if url not in urls:
        text = (
            f"The release has {_quoted(url)}; the crash names {_quoted(urls[0])}. The URL prefix of the upload differs."
        )
        return NearMiss("other_url", text)
    return None


def _about_dist(url: str, stored: str, asked: str) -> str:
    text = f"{_quoted(url)} was uploaded {_dist(stored)}, the crash is {_dist(asked)}."
    meant = next((name for name in (stored, asked) if name.lower() in _MEANS_NONE), None)
    return text if meant is None else f"{text} {_quoted(meant)} is taken for a name; leave it out where there is none."


def _release(project: Project, query: Query) -> Iterator[NearMiss]:
    """Nothing of that release is there at all, or something that does not hold the file."""
    if not query.release:
        return
    version = storable(query.release)
    own = Q(projects=project, organization_id=project.organization_id, release=version)
    counts = list(ArtifactBundle.objects.filter(own).values_list("file_count", flat=True)[:100])
    single = ReleaseFile.objects.filter(project=project, release__version=version).exists()
    if not counts and not single:
        yield NearMiss("unknown_release", f"Nothing was uploaded for release {_quoted(version)}.")
    elif counts and query.urls:
        text = f"{len(counts)} artifact bundles with {sum(counts)} files were uploaded for this release"
        yield NearMiss("no_content", f"{text}; none of them holds {_quoted(query.urls[0])}.")


def _named(kind: str) -> str:
    words = {"minified_source": "a minified script", "source_map": "a source map", "source": "a source file"}
    return words.get(kind, f"a file of type {_quoted(kind)}" if kind else "a file without a type")


def _version(release: str) -> str:
    return f"release {_quoted(release)}" if release else "no release"


def _dist(dist: str) -> str:
    return f"with dist {_quoted(dist)}" if dist else "without a dist"


def _at(url: str) -> str:
    return f" ({_quoted(url)})" if url else ""


def _quoted(text: str) -> str:
    return f"`{text[:_SHOWN]}`"
