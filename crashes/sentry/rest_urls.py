"""Addresses below `/api/0/`."""

from __future__ import annotations

from typing import Final

from django.urls import path

from crashes.sentry.keys_api import ProjectKeys, ProjectKeyView

_KEYS: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/keys/"

urlpatterns = [
    path(_KEYS, ProjectKeys.as_view()),
    path(f"{_KEYS}<str:key_id>/", ProjectKeyView.as_view()),
]
