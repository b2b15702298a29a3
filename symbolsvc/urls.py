"""Which address leads where."""

from __future__ import annotations

import importlib.util

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from symbolsvc import errors, health

_docs = {"url_name": "schema", "authentication_classes": (), "permission_classes": ()}


def _room(name: str) -> list[str]:
    return [f"{name}.urls"] if importlib.util.find_spec(f"{name}.urls") else []


urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    *[path("api/0/", include(room)) for room in _room("projects") + _room("sources")],
    path("api/0/schema/", SpectacularAPIView.as_view(authentication_classes=(), permission_classes=()), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(**_docs), name="docs"),
    path("docs/reference/", SpectacularRedocView.as_view(**_docs), name="docs-reference"),
    *[path("", include(room)) for room in _room("symbolication")],
    re_path(r"^api/0/.*(?<!/)$", errors.missing_slash),
]

handler400 = "symbolsvc.errors.bad_request"
handler404 = "symbolsvc.errors.not_found"
handler500 = "symbolsvc.errors.server_error"
