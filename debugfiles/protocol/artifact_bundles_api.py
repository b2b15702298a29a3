"""REST: artifact bundles from chunks."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, answer, decode_body
from core.openapi import BODY_STATUSES, refusals
from debugfiles.protocol.assemblies import advance
from debugfiles.protocol.bodies import AssemblyView, BundleRequest
from debugfiles.protocol.chunk_api import TAG
from debugfiles.protocol.places import IN_ORGANIZATION, OrganizationUploadView, find_projects
from debugfiles.protocol.wanted import Kind, Wanted
from debugfiles.services import check_dist, check_version
from projects.access import OrganizationAccess


class AssembleArtifactBundle(OrganizationUploadView):
    @extend_schema(
        operation_id="assemble_artifact_bundle",
        summary="Assemble an artifact bundle",
        tags=TAG,
        parameters=[*IN_ORGANIZATION],
        request=BundleRequest,
        responses={200: AssemblyView, **refusals(403, 404, *BODY_STATUSES, style="sentry")},
    )
    def post(self, request: Request, organization_id_or_slug: str) -> Response:
        """Make an artifact bundle of chunks, for projects of the organization, with a release and dist if given.

        Say which chunks it has; the answer says which of them to upload. Send the same again, once a second, while
        the state is `assembling`.
        """
        access = self.open(request, organization_id_or_slug)
        wanted = _wanted(access, _decoded(request))
        (outcome,) = advance([wanted], access.actor)
        return answer(AssemblyView(outcome.state, list(outcome.missing), outcome.detail))


def _decoded(request: Request) -> BundleRequest:
    try:
        return decode_body(request, BundleRequest)
    except ParseError:
        raise ApiError("Invalid json body") from None


def _wanted(access: OrganizationAccess, body: BundleRequest) -> Wanted:
    release, dist = body.version, body.dist or ""
    if release is not None:
        check_version(release)
    check_dist(dist, release or "")
    return Wanted(
        kind=Kind.ARTIFACT_BUNDLE,
        organization=access.organization,
        projects=find_projects(access, body.projects),
        checksum=body.checksum,
        chunks=tuple(body.chunks),
        name=body.checksum,
        release=release or "",
        dist=dist,
    )
