"""Addresses of the pages of organizations and projects."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, path

from projects.pages import views

app_name = "pages"
urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path(
        "login/", LoginView.as_view(template_name="projects/login.html", redirect_authenticated_user=True), name="login"
    ),
    path("logout/", LogoutView.as_view(next_page="pages:login"), name="logout"),
    path("organizations/<str:organization>/", views.organization, name="organization"),
    path("organizations/<str:organization>/<str:project>/", views.project, name="project"),
]
