"""The addresses of the upload protocol, below `/api/0/`."""

from __future__ import annotations

from typing import Final

from django.urls import path

from debugfiles.protocol.artifact_bundles_api import AssembleArtifactBundle
from debugfiles.protocol.chunk_api import ChunkUpload
from debugfiles.protocol.debug_files_api import AssembleDebugFiles, PackedDebugFiles, UnknownDebugFiles
from debugfiles.protocol.releases_api import OrganizationRelease, OrganizationReleases

_ORGANIZATION: Final = "organizations/<str:organization_id_or_slug>/"
_FILES: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/files/"

urlpatterns = [
    path(f"{_ORGANIZATION}chunk-upload/", ChunkUpload.as_view(), name="chunk-upload"),
    path(f"{_ORGANIZATION}artifactbundle/assemble/", AssembleArtifactBundle.as_view(), name="assemble-bundle"),
    path(f"{_ORGANIZATION}releases/", OrganizationReleases.as_view(), name="organization-releases"),
    path(f"{_ORGANIZATION}releases/<str:version>/", OrganizationRelease.as_view(), name="organization-release"),
    path(f"{_FILES}difs/assemble/", AssembleDebugFiles.as_view(), name="assemble-debug-files"),
    path(f"{_FILES}dsyms/unknown/", UnknownDebugFiles.as_view(), name="unknown-debug-files"),
    path(f"{_FILES}dsyms/", PackedDebugFiles.as_view(), name="packed-debug-files"),
]
