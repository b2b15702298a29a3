"""Addresses of the pages of crashes."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from crashes.pages import comparing, detail

_CRASHES: Final = "organizations/<str:organization>/<str:project>/crashes/"
_CRASH: Final = f"{_CRASHES}<str:crash_id>/"

app_name = "crash_pages"
urlpatterns: list[URLPattern] = [
    path(_CRASH, detail.crash, name="crash"),
    path(f"{_CRASH}thread/", detail.thread, name="thread"),
    path(f"{_CRASH}changed/", detail.changed, name="changed"),
    path(f"{_CRASH}text/", detail.as_words, name="text"),
    path(f"{_CRASH}again/", detail.again, name="again"),
    path(f"{_CRASH}compare/", comparing.compare, name="compare"),
]
