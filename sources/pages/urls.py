"""Addresses of the pages of symbol sources."""

from __future__ import annotations

from django.urls import URLPattern

from sources.pages import editing, listing, trials
from sources.pages.places import both

_READ = ("GET", "HEAD")
_WRITE = ("POST",)

app_name = "source_pages"
urlpatterns: list[URLPattern] = [
    *both("list", "", listing.sources, needs="GET", methods=_READ),
    *both("named", "named/", listing.named, needs="GET", methods=_READ),
    *both("order", "order/", listing.order, methods=_WRITE),
    *both("builtin", "builtin/", listing.builtin),
    *both("new", "new/", editing.choose, methods=_READ),
    *both("add", "new/<str:kind>/", editing.add),
    *both("try_new", "new/<str:kind>/test/", trials.try_new, methods=_WRITE),
    *both("example", "example/<str:kind>/", editing.shown_example, methods=_WRITE),
    *both("edit", "<uuid:source>/", editing.edit),
    *both("try_changed", "<uuid:source>/try/", trials.try_changed, methods=_WRITE),
    *both("test", "<uuid:source>/test/", trials.stored),
    *both("delete", "<uuid:source>/delete/", editing.delete, needs="DELETE"),
    *both("move", "<uuid:source>/move/", listing.move, methods=_WRITE),
    *both("switch", "<uuid:source>/switch/", listing.switch, methods=_WRITE),
]
