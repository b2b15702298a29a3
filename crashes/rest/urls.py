"""The addresses of crashes and groups. Others below `crashes/` have to stand before `<crash_id>/`."""

from __future__ import annotations

from typing import Final

from django.urls import path

from crashes.rest.crashes_api import ProjectCrash, ProjectCrashes, ProjectCrashProcessing, ProjectCrashResult
from crashes.rest.downloads_api import ProjectCrashAttachment, ProjectCrashAttachments, ProjectCrashReport
from crashes.rest.groups_api import CrashGroup, CrashGroups, CrashRegrouping

_CRASHES: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/crashes/"
_CRASH: Final = f"{_CRASHES}<str:crash_id>/"

urlpatterns = [
    path(_CRASHES, ProjectCrashes.as_view()),
    path(f"{_CRASHES}groups/", CrashGroups.as_view()),
    path(f"{_CRASHES}groups/<str:group_id>/", CrashGroup.as_view()),
    path(f"{_CRASHES}regroup/", CrashRegrouping.as_view()),
    path(_CRASH, ProjectCrash.as_view()),
    path(f"{_CRASH}result/", ProjectCrashResult.as_view()),
    path(f"{_CRASH}process/", ProjectCrashProcessing.as_view()),
    path(f"{_CRASH}raw/", ProjectCrashReport.as_view()),
    path(f"{_CRASH}attachments/", ProjectCrashAttachments.as_view()),
    path(f"{_CRASH}attachments/<str:attachment_id>/", ProjectCrashAttachment.as_view()),
]
