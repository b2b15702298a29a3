"""Addresses of operations."""

from __future__ import annotations

from django.urls import URLPattern, path

from symbolsvc.operations import views

app_name = "operations"
urlpatterns: list[URLPattern] = [
    path("operations/", views.overview, name="overview"),
    path("operations/figures/", views.figures, name="figures"),
    path("operations/jobs/<int:job_id>/retry/", views.retry, name="retry"),
    path("operations/jobs/<int:job_id>/delete/", views.delete, name="delete"),
]
