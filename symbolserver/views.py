"""The addresses that debuggers ask: files of a project, and files of the operator's default sources."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from core.blobs import BlobError
from core.database import AWAY, release
from debugfiles.composing import opened_defaults
from engine.errors import DeadlineExceeded
from engine.lookup.answer import debug_rank
from symbolserver import contents, fetching
from symbolserver.access import Asked, Opened, Refused, open_proxy, open_server, split
from symbolserver.answers import Content, file_answer, refusal
from symbolserver.proxied import read_proxied
from symbolserver.readings import Reading, SourceAsked, read, read_source
from symbolserver.selectors import Found, find_file

log = logging.getLogger(__name__)

# What tells symstore's clients that they may ask by the two-tier layout; what it says is never read.
_TWO_TIER: Final = "index2.txt"
_STATUSES: Final[Mapping[type[Exception], int]] = {
    fetching.Absent: 404,
    fetching.SourceFailed: 502,
    fetching.Busy: 503,
    DeadlineExceeded: 504,
}


class FileView(View):
    """Read only; failures answer with a status and next to nothing else."""

    http_method_names = ["get", "head", "options"]

    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        """The answer of `get`, or what its errors mean."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except Refused as error:
            return refusal(error.status)
        except tuple(_STATUSES) as error:
            return refusal(_STATUSES[type(error)])
        except (BlobError, OSError, *AWAY) as error:
            log.error("a file could not be sent: %s", error)
            return refusal(503)


class ProjectFilesView(FileView):
    """`/symbols/{organization}/{project}/…`: a project's files by the paths of every layout."""

    def get(self, request: HttpRequest, organization: str, project: str, path: str) -> HttpResponseBase:
        """A path that is none of any layout is answered before anything is looked up."""
        asked = split(path)
        readings, source = read(asked.path), read_source(asked.path)
        if not readings and source is None and asked.path.lower() != _TWO_TIER:
            return refusal(404)
        opened = open_server(request, organization, project, asked.token)
        if readings:
            return file_answer(request, _file(opened, readings, request))
        if source is not None:
            return file_answer(request, _source(opened, source))
        return HttpResponse(".\n", content_type="text/plain")


class ProxyView(FileView):
    """`/proxy/file/SIGNATURE/file`: files of the configured default sources, as Symbolicator answers it."""

    def get(self, request: HttpRequest, path: str) -> HttpResponseBase:
        """Only files that a debugger learns something from: those with debug information or symbols."""
        if not settings.ENVIRONMENT["SYMSTORE_PROXY"]:
            return refusal(404)
        asked = split(path)
        _admit(request, asked)
        proxied = read_proxied(asked.path)
        if proxied is None:
            return refusal(404)
        try:
            content = fetching.fetch(proxied.wanted, opened_defaults(), (proxied.file_type,), debug_rank)
        except fetching.SourceFailed as failure:
            return _failed(failure.message)
        except DeadlineExceeded:
            return _failed("download timed out")
        return file_answer(request, content)


def _admit(request: HttpRequest, asked: Asked) -> None:
    if not settings.ENVIRONMENT["SYMBOLICATOR_ANONYMOUS"]:
        open_proxy(request, asked.token)


def _failed(cause: str) -> HttpResponse:
    return JsonResponse({"detail": "failed to download object", "causes": [cause]}, status=500)


def _file(opened: Opened, readings: Sequence[Reading], request: HttpRequest) -> Content:
    found = _found(opened, readings)
    if found.file is not None:
        if request.method == "GET":
            contents.used(found.file)
        return contents.stored(found.file)
    if not found.ask_sources:
        raise fetching.Absent
    return fetching.fetch_for(opened.project, readings)


def _source(opened: Opened, asked: SourceAsked) -> Content:
    found = _found(opened, (asked.bundle,))
    if found.file is None and not found.ask_sources:
        raise fetching.Absent
    return fetching.fetch_source(opened.project, asked, ask_sources=found.ask_sources)


def _found(opened: Opened, readings: Sequence[Reading]) -> Found:
    """What the project has. For strangers its symbol sources are never asked: they know its secrets."""
    try:
        found = find_file(opened.project.pk, readings)
    finally:
        release()
    return found if opened.known else replace(found, ask_sources=False)
