"""The addresses of the object and query API. None of them redirects."""

from __future__ import annotations

from django.urls import re_path

from crashes.query.api import config, get, list_, login, query

urlpatterns = [
    re_path(r"^/?api/get/?$", get, name="backtrace-get"),
    re_path(r"^/?api/list/?$", list_, name="backtrace-list"),
    re_path(r"^/?api/query/?$", query, name="backtrace-query"),
    re_path(r"^/?api/login/?$", login, name="backtrace-login"),
    re_path(r"^/?api/config/?$", config, name="backtrace-config"),
]
