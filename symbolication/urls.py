"""The addresses of symbolication: Symbolicator's own at the root, the project's under the API."""

from __future__ import annotations

from django.urls import path

from symbolication.cache_api import ProjectCache
from symbolication.views import native, status

_PROJECT = "api/0/projects/<str:organization_id_or_slug>/<str:project_id_or_slug>"

urlpatterns = [
    path("healthcheck", status.healthcheck),
    path("symbolicate", native.SymbolicateView.as_view(), name="symbolicate"),
    path("requests/<str:request_id>", status.RequestView.as_view(), name="symbolication-request"),
    path(f"{_PROJECT}/symbolicate/", native.ProjectSymbolicateView.as_view(), name="project-symbolicate"),
    path(f"{_PROJECT}/cache/", ProjectCache.as_view(), name="project-cache"),
    path(
        f"{_PROJECT}/requests/<str:request_id>/",
        status.ProjectRequestView.as_view(),
        name="project-symbolication-request",
    ),
]
