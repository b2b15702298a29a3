"""REST: the artifact bundles of a project."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import answer, not_found
from core.openapi import BODY_STATUSES, refusals
from core.text import storable
from debugfiles import services
from debugfiles.bodies import ArtifactBundles, ArtifactBundleView, artifact_bundle_view
from debugfiles.identify import Upload
from debugfiles.models import ArtifactBundle
from debugfiles.receiving import received
from debugfiles.retention.policy import policy_of
from debugfiles.upload_views import PLACE, UploadView, form_of, query, row_id
from projects.openapi import PAGING
from projects.paging import paginate

_TAG = ["Artifact bundles"]
_RELEASE = "The release; absent: what the manifest names, if anything."
_DIST = "The build of the release; absent: what the manifest names, if anything."


class ProjectArtifactBundles(UploadView):
    @extend_schema(
        operation_id="list_artifact_bundles",
        summary="List artifact bundles",
        tags=_TAG,
        parameters=[*PLACE, *PAGING, query("release", "Bundles of this release.")],
        responses={200: ArtifactBundles, **refusals(400, 403, 404)},
    )
    def get(self, request: Request, **names: str) -> Response:
        """Newest first."""
        access = self.open(request, names)
        rows = ArtifactBundle.objects.filter(projects=access.project).select_related("blob")
        release = storable(request.query_params.get("release", ""))
        if release:
            rows = rows.filter(organization=access.organization, release=release)
        page = paginate(request, rows, newest_first=True)
        policy = policy_of(access.project)
        return answer([artifact_bundle_view(row, policy) for row in page.rows], Link=page.link)

    @extend_schema(
        operation_id="upload_artifact_bundle",
        summary="Upload an artifact bundle",
        tags=_TAG,
        parameters=[*PLACE, query("name", "A name for people."), query("release", _RELEASE), query("dist", _DIST)],
        request=form_of(name="A name for people.", release=_RELEASE, dist=_DIST),
        responses={201: ArtifactBundleView, **refusals(403, 404, *BODY_STATUSES)},
    )
    def post(self, request: Request, **names: str) -> Response:
        """A ZIP archive with a `manifest.json`, as `sentry-cli` and the bundlers' plugins make it.

        Every file is found by its debug id, and where there is a release by its URL. Needs `project:write`,
        `project:admin`, `project:releases` or `org:ci`.
        """
        access = self.open(request, names)
        with received(request) as got:
            row = services.store_artifact_bundle(
                organization=access.organization,
                projects=[access.project],
                actor=access.actor,
                upload=Upload(got.incoming, got.field("name") or storable(got.filename)),
                release=got.field("release"),
                dist=got.field("dist"),
            )
        return answer(artifact_bundle_view(row, policy_of(access.project)), 201)


class ProjectArtifactBundle(UploadView):
    @extend_schema(
        operation_id="get_artifact_bundle",
        summary="Show an artifact bundle",
        tags=_TAG,
        parameters=[*PLACE],
        responses={200: ArtifactBundleView, **refusals(403, 404)},
    )
    def get(self, request: Request, bundle_id: str, **names: str) -> Response:
        """What is known of it."""
        project = self.open(request, names).project
        found = ArtifactBundle.objects.filter(projects=project, pk=row_id(bundle_id))
        row = found.select_related("blob").first()
        if row is None:
            raise not_found()
        return answer(artifact_bundle_view(row, policy_of(project)))

    @extend_schema(
        operation_id="delete_artifact_bundle",
        summary="Delete an artifact bundle",
        tags=_TAG,
        parameters=[*PLACE],
        responses={204: None, **refusals(403, 404)},
    )
    def delete(self, request: Request, bundle_id: str, **names: str) -> Response:
        """Takes it from this project; others that it was uploaded for keep it. Needs `project:admin` or
        `project:releases`.
        """
        access = self.open(request, names)
        services.delete_artifact_bundle(project=access.project, actor=access.actor, bundle_id=row_id(bundle_id))
        return Response(status=204)
