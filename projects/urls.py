"""Addresses below `/api/0/`. The numeric id and the slug both address organizations and projects."""

from __future__ import annotations

from django.urls import path

from projects.api import AuditView, IndexView, OrganizationsView, OrganizationView, ProjectsView, ScopesView
from projects.token_api import TokensView, TokenView

urlpatterns = [
    path("", IndexView.as_view()),
    path("organizations/", OrganizationsView.as_view()),
    path("organizations/<str:organization_id_or_slug>/", OrganizationView.as_view()),
    path("organizations/<str:organization_id_or_slug>/projects/", ProjectsView.as_view()),
    path("organizations/<str:organization_id_or_slug>/tokens/", TokensView.as_view()),
    path("organizations/<str:organization_id_or_slug>/tokens/<str:token>/", TokenView.as_view()),
    path("organizations/<str:organization_id_or_slug>/audit/", AuditView.as_view()),
    path("organizations/<str:organization_id_or_slug>/scopes/", ScopesView.as_view()),
]
