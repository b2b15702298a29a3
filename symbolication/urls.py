"""The addresses of symbolication: Symbolicator's own at the root, the project's under the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from django.http import HttpResponse
from django.urls import path

from symbolication.cache_api import ProjectCache
from symbolication.views import crash_files, javascript, jvm, native, quick, status

_PROJECT = "api/0/projects/<str:organization_id_or_slug>/<str:project_id_or_slug>"

# What may be asked past the framework, by a token: no other address is like these.
TOKEN_DOOR: Final[tuple[tuple[re.Pattern[str], Callable[..., HttpResponse]], ...]] = (
    (re.compile("symbolicate"), quick.symbolicate),
    (
        re.compile("api/0/projects/(?P<organization_id_or_slug>[^/]+)/(?P<project_id_or_slug>[^/]+)/symbolicate/"),
        quick.project_symbolicate,
    ),
)

urlpatterns = [
    path("healthcheck", status.healthcheck),
    path("symbolicate", native.SymbolicateView.as_view(), name="symbolicate"),
    path("symbolicate-any", crash_files.StoredFileView.as_view(), name="symbolicate-any"),
    path("symbolicate-js", javascript.JavascriptView.as_view(), name="symbolicate-js"),
    path("symbolicate-jvm", jvm.JvmView.as_view(), name="symbolicate-jvm"),
    path("minidump", crash_files.MinidumpView.as_view(), name="minidump"),
    path("applecrashreport", crash_files.AppleReportView.as_view(), name="applecrashreport"),
    path("requests/<str:request_id>", status.RequestView.as_view(), name="symbolication-request"),
    path(f"{_PROJECT}/symbolicate/", native.ProjectSymbolicateView.as_view(), name="project-symbolicate"),
    path(f"{_PROJECT}/symbolicate-any/", crash_files.ProjectStoredFileView.as_view(), name="project-symbolicate-any"),
    path(f"{_PROJECT}/symbolicate-js/", javascript.ProjectJavascriptView.as_view(), name="project-symbolicate-js"),
    path(f"{_PROJECT}/symbolicate-jvm/", jvm.ProjectJvmView.as_view(), name="project-symbolicate-jvm"),
    path(f"{_PROJECT}/minidump/", crash_files.ProjectMinidumpView.as_view(), name="project-minidump"),
    path(
        f"{_PROJECT}/applecrashreport/",
        crash_files.ProjectAppleReportView.as_view(),
        name="project-applecrashreport",
    ),
    path(f"{_PROJECT}/cache/", ProjectCache.as_view(), name="project-cache"),
    path(
        f"{_PROJECT}/requests/<str:request_id>/",
        status.ProjectRequestView.as_view(),
        name="project-symbolication-request",
    ),
]
