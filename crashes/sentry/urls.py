"""The addresses that clients make of a DSN. A project's number never is 0, which is the REST API's version."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, re_path

from crashes.sentry.dump_form import take_dump
from crashes.sentry.envelopes import take_envelope
from crashes.sentry.store_view import take_event

_PROJECT: Final = r"^api/(?P<project_id>[1-9][0-9]{0,17})/"

urlpatterns: list[URLPattern] = [
    re_path(rf"{_PROJECT}envelope/?$", take_envelope),
    re_path(rf"{_PROJECT}minidump/?$", take_dump),
    re_path(rf"{_PROJECT}store/?$", take_event),
]
