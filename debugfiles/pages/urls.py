"""Addresses of the pages of uploads."""

from __future__ import annotations

from typing import Final

from django.urls import URLPattern, path

from debugfiles.pages import artifacts, files, history, rules, uploading

_FILES: Final = "organizations/<str:organization>/<str:project>/files/"

app_name = "files"
urlpatterns: list[URLPattern] = [
    path(_FILES, files.files, name="files"),
    path(f"{_FILES}upload/", uploading.upload, name="upload"),
    path(f"{_FILES}bundles/", artifacts.bundles, name="bundles"),
    path(f"{_FILES}bundles/<int:bundle_id>/", artifacts.bundle, name="bundle"),
    path(f"{_FILES}bundles/<int:bundle_id>/delete/", artifacts.delete_bundle, name="delete-bundle"),
    path(f"{_FILES}releases/", artifacts.releases, name="releases"),
    path(f"{_FILES}releases/<int:release_id>/", artifacts.release, name="release"),
    path(f"{_FILES}uploads/", history.uploads, name="uploads"),
    path(f"{_FILES}uploads/<int:upload_id>/", history.one_upload, name="one-upload"),
    path(f"{_FILES}retention/", rules.retention, name="retention"),
    path(f"{_FILES}scraping/", rules.scraping, name="scraping"),
    path(f"{_FILES}<int:file_id>/", files.file, name="file"),
    path(f"{_FILES}<int:file_id>/delete/", files.delete, name="delete"),
]
