"""The addresses of runs over many crashes and of the files that these lack."""

from __future__ import annotations

from typing import Final

from django.urls import path

from crashes.again.api import ProjectLackedFiles, ProjectRerun, ProjectReruns

_CRASHES: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/crashes/"

urlpatterns = [
    path(f"{_CRASHES}reruns/", ProjectReruns.as_view()),
    path(f"{_CRASHES}reruns/<str:rerun_id>/", ProjectRerun.as_view()),
    path(f"{_CRASHES}lacking/", ProjectLackedFiles.as_view()),
]
