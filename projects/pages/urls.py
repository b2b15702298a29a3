"""Addresses of the pages of organizations and projects."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, URLResolver, include, path

from projects.pages import members, tokens, trail, views

_WHOLE: Final = "organizations/<str:organization>/"
_PROJECT: Final = f"{_WHOLE}<str:project>/"

app_name = "pages"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("", include("projects.pages.signing.urls")),
    path(_WHOLE, views.organization, name="organization"),
    # Words in the place of a project are reserved (`projects.slugs`).
    path(f"{_WHOLE}new/", views.new_project, name="new-project"),
    path(f"{_WHOLE}members/", members.listed, name="members"),
    path(f"{_WHOLE}members/leave/", members.leave, name="leave"),
    path(f"{_WHOLE}members/<str:member>/role/", members.change, name="member-change"),
    path(f"{_WHOLE}members/<str:member>/remove/", members.remove, name="member-remove"),
    path(f"{_WHOLE}members/<str:member>/invite/", members.invite, name="member-invite"),
    path(f"{_WHOLE}tokens/", tokens.of_organization, name="tokens"),
    path(f"{_WHOLE}tokens/new/", tokens.new_of_organization, name="new-token"),
    path(f"{_WHOLE}tokens/<str:token>/revoke/", tokens.revoke_of_organization, name="revoke-token"),
    path(f"{_WHOLE}audit/", trail.trail, name="trail"),
    path(_PROJECT, views.project, name="project"),
    path(f"{_PROJECT}settings/", views.project_settings, name="project-settings"),
    path(f"{_PROJECT}tokens/", tokens.of_project, name="project-tokens"),
    path(f"{_PROJECT}tokens/new/", tokens.new_of_project, name="new-project-token"),
    path(f"{_PROJECT}tokens/<str:token>/revoke/", tokens.revoke_of_project, name="revoke-project-token"),
]
