"""The addresses of imports from App Store Connect, below `/api/0/`."""

from __future__ import annotations

from typing import Final

from django.urls import path

from debugfiles.appstore.api import ProjectAppStoreImport, ProjectAppStoreImports

_PLACE: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/app-store-connect/"

urlpatterns = [
    path(_PLACE, ProjectAppStoreImports.as_view(), name="app-store-imports"),
    # Ids of sources may hold slashes.
    path(f"{_PLACE}<path:source_id>/import/", ProjectAppStoreImport.as_view(), name="app-store-import"),
]
