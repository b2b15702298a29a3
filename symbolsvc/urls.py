"""Which address leads where."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from crashes.urls import certain_urlpatterns
from symbolsvc import errors, health

_public = {"authentication_classes": (), "permission_classes": ()}


urlpatterns: list[URLPattern | URLResolver] = [
    *certain_urlpatterns,
    # An organization's `sources/` stands in the place of a project.
    path("", include("sources.pages.urls")),
    path("", include("debugfiles.appstore.pages.urls")),
    path("", include("projects.pages.urls")),
    path("", include("symbolsvc.operations.urls")),
    path("", include("symbolsvc.metrics.urls")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("api/0/", include("projects.urls")),
    path("api/0/", include("sources.urls")),
    path("api/0/", include("debugfiles.urls")),
    path("api/0/", include("debugfiles.appstore.urls")),
    path("api/0/schema/", SpectacularAPIView.as_view(**_public), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", **_public), name="docs"),
    path("", include("symbolication.urls")),
    path("", include("symbolserver.urls")),
    path("", include("debugfiles.pages.urls")),
    path("", include("crashes.pages.urls")),
    path("", include("crashes.urls")),
    re_path(r"^api/0/.*(?<!/)$", errors.missing_slash),
]

handler400 = "symbolsvc.errors.bad_request"
handler403 = "symbolsvc.errors.forbidden"
handler404 = "symbolsvc.errors.not_found"
handler500 = "symbolsvc.errors.server_error"
