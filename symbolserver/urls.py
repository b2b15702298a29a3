"""The addresses of this room."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from symbolserver.api import ProjectSymbolServer
from symbolserver.views import ProjectFilesView, ProxyView

urlpatterns: list[URLPattern] = [
    re_path(r"^symbols/(?P<organization>[^/]+)/(?P<project>[^/]+)/(?P<path>.+)$", ProjectFilesView.as_view()),
    re_path(r"^proxy/(?P<path>.+)$", ProxyView.as_view()),
    path(
        "api/0/projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/symbol-server/",
        ProjectSymbolServer.as_view(),
        name="symbol-server",
    ),
]
