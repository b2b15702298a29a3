"""The addresses of uploads, below `/api/0/`."""

from __future__ import annotations

from typing import Final

from django.urls import include, path

from debugfiles.bundles_api import ProjectArtifactBundle, ProjectArtifactBundles
from debugfiles.files_api import ProjectDebugFile, ProjectDebugFileContent, ProjectDebugFiles
from debugfiles.records.api import ProjectUpload, ProjectUploads
from debugfiles.releases_api import ProjectRelease, ProjectReleaseFile, ProjectReleaseFiles, ProjectReleases
from debugfiles.retention.api import ProjectRetention
from debugfiles.scraping_api import ProjectScraping
from debugfiles.sentrysource.dsyms_api import ProjectDsyms
from debugfiles.sentrysource.lookup_api import ProjectArtifactLookup

_PROJECT: Final = "projects/<str:organization_id_or_slug>/<str:project_id_or_slug>/"

urlpatterns = [
    # Before the protocol's own: here the same address has more methods.
    path(f"{_PROJECT}files/dsyms/", ProjectDsyms.as_view(), name="dsyms"),
    path(f"{_PROJECT}artifact-lookup/", ProjectArtifactLookup.as_view(), name="artifact-lookup"),
    path("", include("debugfiles.protocol.urls")),
    path(f"{_PROJECT}scraping/", ProjectScraping.as_view(), name="scraping"),
    path(f"{_PROJECT}debug-files/", ProjectDebugFiles.as_view(), name="debug-files"),
    path(f"{_PROJECT}debug-files/retention/", ProjectRetention.as_view(), name="retention"),
    path(f"{_PROJECT}debug-files/<str:file_id>/", ProjectDebugFile.as_view(), name="debug-file"),
    path(
        f"{_PROJECT}debug-files/<str:file_id>/download/", ProjectDebugFileContent.as_view(), name="debug-file-content"
    ),
    path(f"{_PROJECT}uploads/", ProjectUploads.as_view(), name="uploads"),
    path(f"{_PROJECT}uploads/<str:upload_id>/", ProjectUpload.as_view(), name="upload"),
    path(f"{_PROJECT}artifact-bundles/", ProjectArtifactBundles.as_view(), name="artifact-bundles"),
    path(f"{_PROJECT}artifact-bundles/<str:bundle_id>/", ProjectArtifactBundle.as_view(), name="artifact-bundle"),
    path(f"{_PROJECT}releases/", ProjectReleases.as_view(), name="project-releases"),
    path(f"{_PROJECT}releases/<str:version>/", ProjectRelease.as_view(), name="project-release"),
    path(f"{_PROJECT}releases/<str:version>/files/", ProjectReleaseFiles.as_view(), name="release-files"),
    path(f"{_PROJECT}releases/<str:version>/files/<str:file_id>/", ProjectReleaseFile.as_view(), name="release-file"),
]
