"""Addresses below `api/0/`."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from sources.api import BuiltinSources, OrganizationSources, ProjectSources
from sources.project_api import ProjectDetail
from sources.testing.api import ProjectSourceTest

urlpatterns: Final[list[URLPattern]] = [
    path(
        "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/",
        ProjectDetail.as_view(),
        name="project-detail",
    ),
    path(
        "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/symbol-sources/",
        ProjectSources.as_view(),
        name="project-symbol-sources",
    ),
    path(
        "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/symbol-sources/test/",
        ProjectSourceTest.as_view(),
        name="project-symbol-source-test",
    ),
    path(
        "organizations/<str:organization_id_or_slug>/symbol-sources/",
        OrganizationSources.as_view(),
        name="organization-symbol-sources",
    ),
    path(
        "organizations/<str:organization_id_or_slug>/builtin-symbol-sources/",
        BuiltinSources.as_view(),
        name="builtin-symbol-sources",
    ),
]
