"""REST: releases of a project and their single files, in the shapes of Sentry's API."""

from __future__ import annotations

from collections.abc import Iterable

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer, decode_body, not_found
from core.openapi import BODY_STATUSES, refusals
from core.text import storable
from debugfiles import services
from debugfiles.bodies import (
    NewRelease,
    ReleaseFiles,
    ReleaseFileView,
    ReleaseView,
    release_file_view,
    release_view,
)
from debugfiles.identify import Upload
from debugfiles.models import VERSION_LENGTH, Release, ReleaseFile
from debugfiles.protocol.releases import delete_release
from debugfiles.receiving import received
from debugfiles.release_answers import RELEASE_CREATED, RELEASE_PAGE, RELEASE_PAGING, created_release, release_page
from debugfiles.retention.policy import policy_of
from debugfiles.upload_views import PLACE, UploadView, form_of, query, row_id
from projects.models import Project
from projects.openapi import PAGING
from projects.paging import paginate

_TAG = ["Releases"]


class ProjectReleases(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="list_releases",
        summary="List releases",
        tags=_TAG,
        parameters=[*PLACE, *RELEASE_PAGING],
        responses=RELEASE_PAGE,
    )
    def get(self, request: Request, **names: str) -> Response:
        """The releases that the project is part of, newest first."""
        return release_page(request, Release.objects.filter(projects=self.open(request, names).project))

    @extend_schema(
        operation_id="create_release",
        summary="Create a release",
        tags=_TAG,
        parameters=[*PLACE],
        request=NewRelease,
        responses=RELEASE_CREATED,
    )
    def post(self, request: Request, **names: str) -> Response:
        """A release is its organization's; this makes the project part of it."""
        access = self.open(request, names)
        body = decode_body(request, NewRelease)
        row, created = services.create_release(
            organization=access.organization, projects=[access.project], actor=access.actor, version=body.version
        )
        return created_release(row, created)


class ProjectRelease(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="get_release",
        summary="Show a release",
        tags=_TAG,
        parameters=[*PLACE],
        responses={200: ReleaseView, **refusals(403, 404, style="sentry")},
    )
    def get(self, request: Request, version: str, **names: str) -> Response:
        """What is known of it."""
        return answer(release_view(find_release(self.open(request, names).project, version)))

    @extend_schema(
        operation_id="finalize_release",
        summary="Say that a release is out",
        tags=_TAG,
        parameters=[*PLACE],
        request=None,
        responses={200: ReleaseView, **refusals(403, 404, style="sentry")},
    )
    def put(self, request: Request, version: str, **names: str) -> Response:
        """Notes the time, once. What clients send in the body is not kept."""
        access = self.open(request, names)
        found = find_release(access.project, version)
        row = services.finalize_release(release=found, project=access.project, actor=access.actor)
        return answer(release_view(row))

    @extend_schema(
        operation_id="delete_release",
        summary="Take a release from a project",
        tags=_TAG,
        parameters=[*PLACE],
        responses={204: None, **refusals(403, 404, style="sentry")},
    )
    def delete(self, request: Request, version: str, **names: str) -> Response:
        """Its single files of the project go with it, its bundles stay. It is gone when no project has it any more.

        Needs `project:admin` or `project:releases`.
        """
        access = self.open(request, names)
        found = find_release(access.project, version)
        delete_release(release=found, actor=access.actor, project_id=access.project.pk)
        return Response(status=204)


class ProjectReleaseFiles(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="list_release_files",
        summary="List the files of a release",
        tags=_TAG,
        parameters=[*PLACE, *PAGING],
        responses={200: ReleaseFiles, **refusals(400, 403, 404, style="sentry")},
    )
    def get(self, request: Request, version: str, **names: str) -> Response:
        """Single files; what lies in bundles is not among them."""
        project = self.open(request, names).project
        rows = ReleaseFile.objects.filter(project=project, release=find_release(project, version))
        page = paginate(request, rows.select_related("blob"))
        policy = policy_of(project)
        return answer([release_file_view(row, policy) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="upload_release_file",
        summary="Upload a file of a release",
        tags=_TAG,
        parameters=[
            *PLACE,
            query("name", "The URL that the file is served under; `~/` stands for any scheme and host."),
            query("dist", "The build of the release."),
            OpenApiParameter("header", str, OpenApiParameter.QUERY, many=True, description="`Sourcemap:app.js.map`."),
        ],
        request=form_of(name="As in the query.", dist="As in the query.", header="As in the query; may be repeated."),
        responses={201: ReleaseFileView, **refusals(403, 404, *BODY_STATUSES, style="sentry")},
    )
    def post(self, request: Request, version: str, **names: str) -> Response:
        """The release is created if need be. A file of the same name and dist is replaced."""
        access = self.open(request, names)
        services.check_version(version)
        with received(request) as got:
            row_name = got.field("name") or storable(got.filename)
            release, _ = services.create_release(
                organization=access.organization, projects=[access.project], actor=access.actor, version=version
            )
            row = services.store_release_file(
                project=access.project,
                actor=access.actor,
                release=release,
                upload=Upload(got.incoming, row_name),
                dist=got.field("dist"),
                headers=_headers(got.fields.get("header", ())),
            )
        return answer(release_file_view(row, policy_of(access.project)), 201)


class ProjectReleaseFile(UploadView):
    error_style = "sentry"

    @extend_schema(
        operation_id="get_release_file",
        summary="Show a file of a release",
        tags=_TAG,
        parameters=[*PLACE],
        responses={200: ReleaseFileView, **refusals(403, 404, style="sentry")},
    )
    def get(self, request: Request, version: str, file_id: str, **names: str) -> Response:
        """What is known of it."""
        project = self.open(request, names).project
        files = ReleaseFile.objects.filter(project=project, release=find_release(project, version))
        row = files.filter(pk=row_id(file_id)).select_related("blob").first()
        if row is None:
            raise not_found()
        return answer(release_file_view(row, policy_of(project)))

    @extend_schema(
        operation_id="delete_release_file",
        summary="Delete a file of a release",
        tags=_TAG,
        parameters=[*PLACE],
        responses={204: None, **refusals(403, 404, style="sentry")},
    )
    def delete(self, request: Request, version: str, file_id: str, **names: str) -> Response:
        """Needs `project:admin` or `project:releases`."""
        access = self.open(request, names)
        services.delete_release_file(
            project=access.project,
            actor=access.actor,
            release=find_release(access.project, version),
            file_id=row_id(file_id),
        )
        return Response(status=204)


def find_release(project: Project, version: str) -> Release:
    """The release that the project is part of. Raises NotFound."""
    if len(version) > VERSION_LENGTH or storable(version) != version:
        raise not_found()
    found = Release.objects.filter(projects=project, organization_id=project.organization_id, version=version)
    row = found.prefetch_related("projects").first()
    if row is None:
        raise not_found()
    return row


def _headers(lines: Iterable[str]) -> dict[str, str]:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ApiError("header: each must be `name: value`", field="header")
        headers[name] = value
    return headers
