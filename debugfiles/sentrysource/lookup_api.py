"""REST: a project's scripts and source maps as Symbolicator asks for them."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import quote

import msgspec
from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta
from rest_framework.request import Request

from core.api import answer, not_found
from core.openapi import ArrayOf, refusals
from core.text import storable
from debugfiles.sending import send
from debugfiles.sentrysource.artifacts import BUNDLE, Artifact, Lookup, content_of, look_up
from debugfiles.upload_views import CONTENT, DOWNLOAD, PLACE, RANGE, UploadView, query
from projects.access import open_project
from projects.models import Project

_TAG: Final = ["For Symbolicator"]
_DOWNLOAD: Final = "download"
# What a question consists of; whatever stands before it belongs to the address that the client was configured with.
_QUESTION: Final = frozenset({"release", "url", "dist", "debug_id", _DOWNLOAD})
_Word = Literal["debug-id", "url", "index", "release", "release-old", "scraping", "unknown"]
_Url = Annotated[str, Meta(description="Where it is to be had; it begins as the address of the request does.")]


class FoundArtifact(msgspec.Struct, omit_defaults=True):
    """A bundle, or with `abs_path` and `headers` a single file."""

    type: Literal["bundle", "file"]
    id: str
    url: _Url
    resolved_with: _Word
    abs_path: str | msgspec.UnsetType = msgspec.UNSET
    headers: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class FoundArtifacts(ArrayOf):
    item = FoundArtifact


class ProjectArtifactLookup(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="look_up_artifacts",
        summary="Find scripts and source maps, or download one",
        tags=_TAG,
        parameters=[
            *PLACE,
            query("release", "The release; without one only debug ids lead anywhere."),
            query("dist", "The build of the release."),
            OpenApiParameter("url", str, OpenApiParameter.QUERY, many=True, description="A part of a file's URL."),
            OpenApiParameter("debug_id", str, OpenApiParameter.QUERY, many=True, description="A debug id."),
            query(_DOWNLOAD, "The content of what was found, by its id."),
            RANGE,
        ],
        responses={
            (200, "application/json"): FoundArtifacts,
            **CONTENT,
            **refusals(403, 404, style="sentry"),
        },
    )
    def get(self, request: Request, **names: str) -> HttpResponseBase:
        """What the `source` of `/symbolicate-js` asks for: bundles by debug id, bundles and files of a release by URL.

        The scopes are those of `files/dsyms/`: to find, those for lists; to download, those for files.
        """
        wanted = request.query_params.get(_DOWNLOAD)
        if wanted:
            organization, project = names["organization_id_or_slug"], names["project_id_or_slug"]
            return _send(request, open_project(request, organization, project, any_of=DOWNLOAD).project, wanted)
        found = look_up(self.open(request, names).project, _lookup(request))
        base = own_address(request._request)
        return answer([_shown(artifact, base) for artifact in found])


def own_address(request: HttpRequest) -> str:
    """The address that the request came to, character for character, up to where its question begins.

    Clients send their token to addresses alone that begin with the one that they were configured with.
    """
    raw = str(request.META.get("RAW_URI") or request.get_full_path())
    path, _, text = raw.partition("?")
    own = []
    for pair in text.split("&") if text else ():
        if pair.partition("=")[0] in _QUESTION:
            break
        own.append(pair)
    return f"{request.scheme}://{request.get_host()}{path}?{''.join(f'{pair}&' for pair in own)}"


def _lookup(request: Request) -> Lookup:
    asked = {name: [storable(value) for value in values] for name, values in request.query_params.lists()}
    return Lookup(
        release=(asked.get("release") or [""])[-1],
        dist=(asked.get("dist") or [""])[-1],
        urls=tuple(url for url in asked.get("url", ()) if url),
        debug_ids=tuple(asked.get("debug_id", ())),
    )


def _shown(artifact: Artifact, base: str) -> FoundArtifact:
    url = f"{base}{_DOWNLOAD}={quote(artifact.id, safe='/')}"
    if artifact.id.startswith(BUNDLE):
        return FoundArtifact("bundle", artifact.id, url, artifact.resolved_with.value)
    headers = artifact.headers or {}
    return FoundArtifact("file", artifact.id, url, artifact.resolved_with.value, artifact.url, headers)


def _send(request: Request, project: Project, artifact_id: str) -> HttpResponseBase:
    found = content_of(project, artifact_id)
    if found is None:
        raise not_found()
    return send(request, *found)
