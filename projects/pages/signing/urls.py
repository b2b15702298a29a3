"""Addresses of signing in."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from projects.pages.signing import views

urlpatterns: list[URLPattern] = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(next_page="pages:login"), name="logout"),
    path("accounts/password/", views.ChangePassword.as_view(), name="password"),
    path("accounts/invited/<uidb64>/<token>/", views.FirstPassword.as_view(), name="invited"),
]
