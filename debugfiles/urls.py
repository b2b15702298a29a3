"""The addresses of uploads, below `/api/0/`."""

from __future__ import annotations

from typing import Final

from django.urls import path

from debugfiles.scraping_api import ProjectScraping

_PROJECT: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/"

urlpatterns = [
    path(f"{_PROJECT}scraping/", ProjectScraping.as_view(), name="scraping"),
]
