"""The addresses of symbolication: Symbolicator's own at the root, the project's under the API."""

from __future__ import annotations

from django.urls import path

from symbolication import api
from symbolication.cache_api import ProjectCache

_PROJECT = "api/0/projects/<str:organization_id_or_slug>/<str:project_id_or_slug>"

urlpatterns = [
    path("healthcheck", api.healthcheck),
    path("symbolicate", api.SymbolicateView.as_view(), name="symbolicate"),
    path("requests/<str:request_id>", api.RequestView.as_view(), name="symbolication-request"),
    path(f"{_PROJECT}/symbolicate/", api.ProjectSymbolicateView.as_view(), name="project-symbolicate"),
    path(f"{_PROJECT}/cache/", ProjectCache.as_view(), name="project-cache"),
    path(
        f"{_PROJECT}/requests/<str:request_id>/", api.ProjectRequestView.as_view(), name="project-symbolication-request"
    ),
]
