"""The address of a project's rules for crashes."""

from __future__ import annotations

from typing import Final

from django.urls import path

from crashes.retention.api import ProjectCrashRules

_PROJECT: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/"

urlpatterns = [path(f"{_PROJECT}crash-rules/", ProjectCrashRules.as_view(), name="crash-rules")]
