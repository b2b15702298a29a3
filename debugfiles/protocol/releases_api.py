"""REST: the releases of an organization, in the shapes of Sentry's API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from drf_spectacular.utils import extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer, decode_body
from core.openapi import BODY_STATUSES, refusals
from debugfiles.bodies import ReleaseView, release_view
from debugfiles.protocol.places import IN_ORGANIZATION, OrganizationUploadView, find_projects
from debugfiles.protocol.releases import (
    create_release,
    delete_release,
    open_release,
    update_release,
    visible_releases,
)
from debugfiles.release_answers import RELEASE_CREATED, RELEASE_PAGE, RELEASE_PAGING, created_release, release_page
from projects.access import OrganizationAccess
from projects.bodies import Moment
from projects.models import Project

_TAG: Final = ["Releases"]

ProjectRefs = Annotated[list[str | int], Meta(max_length=1000)]


class NewOrganizationRelease(msgspec.Struct, rename="camel"):
    """A release to create for projects (ids or slugs); other fields that clients send are not kept."""

    version: str
    projects: ProjectRefs = []
    date_released: Moment | None = None


class ChangedRelease(msgspec.Struct, rename="camel"):
    """What becomes of a release; other fields that clients send are not kept."""

    projects: ProjectRefs | None = None
    date_released: Moment | None = None


class OrganizationReleases(OrganizationUploadView):
    @extend_schema(
        operation_id="list_organization_releases",
        summary="List the releases of an organization",
        tags=_TAG,
        parameters=[*IN_ORGANIZATION, *RELEASE_PAGING],
        responses=RELEASE_PAGE,
    )
    def get(self, request: Request, organization_id_or_slug: str) -> Response:
        """Newest first; for a token that is bound to a project, those that it is part of."""
        return release_page(request, visible_releases(self.open(request, organization_id_or_slug)))

    @extend_schema(
        operation_id="create_organization_release",
        summary="Create a release for projects",
        tags=_TAG,
        parameters=[*IN_ORGANIZATION],
        request=NewOrganizationRelease,
        responses=RELEASE_CREATED,
    )
    def post(self, request: Request, organization_id_or_slug: str) -> Response:
        """The projects become part of it also where it is there already."""
        access = self.open(request, organization_id_or_slug)
        body = decode_body(request, NewOrganizationRelease)
        projects = _projects(access, body.projects)
        row, created = create_release(
            organization=access.organization, projects=projects, actor=access.actor, version=body.version
        )
        if body.date_released is not None:
            row = update_release(release=row, projects=(), actor=access.actor, released_at=body.date_released)
        return created_release(row, created)


class OrganizationRelease(OrganizationUploadView):
    @extend_schema(
        operation_id="get_organization_release",
        summary="Show a release of an organization",
        tags=_TAG,
        parameters=[*IN_ORGANIZATION],
        responses={200: ReleaseView, **refusals(403, 404, style="sentry")},
    )
    def get(self, request: Request, organization_id_or_slug: str, version: str) -> Response:
        """What is known of it."""
        return answer(release_view(open_release(self.open(request, organization_id_or_slug), version)))

    @extend_schema(
        operation_id="update_organization_release",
        summary="Change a release of an organization",
        tags=_TAG,
        parameters=[*IN_ORGANIZATION],
        request=ChangedRelease,
        responses={200: ReleaseView, **refusals(403, 404, *BODY_STATUSES, style="sentry")},
    )
    def put(self, request: Request, organization_id_or_slug: str, version: str) -> Response:
        """Says when it came out, and adds projects to it."""
        access = self.open(request, organization_id_or_slug)
        found = open_release(access, version)
        body = decode_body(request, ChangedRelease)
        projects = find_projects(access, body.projects or ())
        row = update_release(release=found, projects=projects, actor=access.actor, released_at=body.date_released)
        return answer(release_view(row))

    @extend_schema(
        operation_id="delete_organization_release",
        summary="Delete a release of an organization",
        tags=_TAG,
        parameters=[*IN_ORGANIZATION],
        responses={204: None, **refusals(403, 404, style="sentry")},
    )
    def delete(self, request: Request, organization_id_or_slug: str, version: str) -> Response:
        """Its single files go with it, its bundles stay. A token that is bound to a project takes it from that alone.

        Needs `project:admin` or `project:releases`.
        """
        access = self.open(request, organization_id_or_slug)
        delete_release(release=open_release(access, version), actor=access.actor, project_id=access.project_id)
        return Response(status=204)


def _projects(access: OrganizationAccess, refs: Sequence[str | int]) -> tuple[Project, ...]:
    """Those of the request; without any, the one that the token is bound to."""
    bound = () if access.project_id is None else (access.project_id,)
    return find_projects(access, refs or bound)
