"""Addresses of the pages of crashes."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from crashes.pages import comparing, detail, groups, keys, lists, missing, reruns, rules
from crashes.pages.now.views import now

_CRASHES: Final = "organizations/<str:organization>/<str:project>/crashes/"
_CRASH: Final = f"{_CRASHES}<str:crash_id>/"

_CLIENTS: Final = "organizations/<str:organization>/<str:project>/clients/"

app_name = "crash_pages"
urlpatterns: list[URLPattern] = [
    path(_CLIENTS, keys.clients, name="clients"),
    path(f"{_CLIENTS}<str:key_id>/", keys.change, name="key-change"),
    path(f"{_CLIENTS}<str:key_id>/delete/", keys.delete, name="key-delete"),
    path(_CRASHES, lists.groups, name="groups"),
    path(f"{_CRASHES}all/", lists.crashes, name="crashes"),
    path(f"{_CRASHES}groups/<str:group_id>/", groups.group, name="group"),
    path(f"{_CRASHES}groups/<str:group_id>/state/", groups.change, name="group-state"),
    path(f"{_CRASHES}groups/<str:group_id>/again/", groups.again, name="group-again"),
    path(f"{_CRASHES}reruns/", reruns.listed, name="reruns"),
    path(f"{_CRASHES}reruns/regroup/", reruns.regroup, name="regroup"),
    path(f"{_CRASHES}reruns/<str:rerun_id>/cancel/", reruns.cancel, name="cancel-rerun"),
    path(f"{_CRASHES}rules/", rules.edited, name="rules"),
    path(f"{_CRASHES}now/", now, name="now"),
    path(f"{_CRASHES}missing/", missing.missing, name="missing"),
    path(f"{_CRASHES}missing/ask/", missing.ask_for_all, name="missing-ask-all"),
    path(f"{_CRASHES}missing/<int:file_id>/ask/", missing.ask_again, name="missing-ask"),
    # Behind the words above: a crash may be called anything else.
    path(_CRASH, detail.crash, name="crash"),
    path(f"{_CRASH}thread/", detail.thread, name="thread"),
    path(f"{_CRASH}changed/", detail.changed, name="changed"),
    path(f"{_CRASH}text/", detail.as_words, name="text"),
    path(f"{_CRASH}again/", detail.again, name="again"),
    path(f"{_CRASH}compare/", comparing.compare, name="compare"),
]
