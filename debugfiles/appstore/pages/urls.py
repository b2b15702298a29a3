"""Addresses of the page of imports: beside the symbol sources that it is about."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from debugfiles.appstore.pages import views

_IMPORTS: Final = "organizations/<str:organization>/<str:project>/sources/imports/"

app_name = "appstore_pages"
urlpatterns: list[URLPattern] = [
    path(_IMPORTS, views.imports, name="imports"),
    path(f"{_IMPORTS}<uuid:source>/run/", views.run, name="run"),
]
