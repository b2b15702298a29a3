"""Addresses of the pages of organizations and projects."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from projects.pages import views

app_name = "pages"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("", include("projects.pages.signing.urls")),
    path("organizations/<str:organization>/", views.organization, name="organization"),
    path("organizations/<str:organization>/<str:project>/", views.project, name="project"),
]
