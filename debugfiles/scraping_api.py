"""REST: how a project's scripts and source maps may be fetched from the web."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiView, answer, decode_body
from core.openapi import BODY_STATUSES, challenge, refusals
from debugfiles.models import Scraping
from debugfiles.scraping import ANY, set_scraping, stored_scraping
from projects.access import open_project
from projects.openapi import ORGANIZATION, PROJECT

READ: Final = ("project:read", "project:write", "project:admin")
WRITE: Final = ("project:write", "project:admin")
_TAG: Final = "Scraping"


class HiddenHeader(msgspec.Struct, forbid_unknown_fields=True):
    """A header's value that is stored. In a change: keep it."""

    hidden_secret: Literal[True] = msgspec.field(name="hidden-secret")


Origins = Annotated[
    list[str],
    Meta(description="`*` for all, a whole URL, or `[scheme://]domain[:port][/path]`; `*.domain` takes subdomains in."),
]


class ScrapingView(msgspec.Struct):
    """Whether and from where files are fetched; the values of headers are never shown."""

    enabled: bool
    allowed_origins: Origins
    headers: dict[str, HiddenHeader]
    verify_ssl: bool


class ScrapingChange(msgspec.Struct, forbid_unknown_fields=True):
    """The new rules, which replace the old ones. A header sent as `{"hidden-secret": true}` keeps its value."""

    enabled: bool = True
    allowed_origins: Origins = msgspec.field(default_factory=lambda: list(ANY))
    headers: dict[str, str | HiddenHeader] = {}
    verify_ssl: bool = True


_EXAMPLE: Final = OpenApiExample(
    "Our own hosts, with a token",
    {"enabled": True, "allowed_origins": ["*.example.com"], "headers": {"X-Token": "s3cret"}, "verify_ssl": True},
    request_only=True,
)


class ProjectScraping(ApiView):
    @extend_schema(
        operation_id="get_scraping",
        summary="Show from where source maps may be fetched",
        tags=[_TAG],
        parameters=[ORGANIZATION, PROJECT, challenge()],
        responses={200: ScrapingView, **refusals(403, 404)},
    )
    def get(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Without rules of its own a project fetches from everywhere, without headers."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=READ)
        return answer(_shown(stored_scraping(access.project)))

    @extend_schema(
        operation_id="set_scraping",
        summary="Set from where source maps may be fetched",
        tags=[_TAG],
        parameters=[ORGANIZATION, PROJECT, challenge()],
        request=ScrapingChange,
        examples=[_EXAMPLE],
        responses={200: ScrapingView, **refusals(403, 404, *BODY_STATUSES)},
    )
    def put(self, request: Request, organization_id_or_slug: str, project_id_or_slug: str) -> Response:
        """Headers go to the allowed origins alone, which must then name hosts. Needs `project:write`."""
        access = open_project(request, organization_id_or_slug, project_id_or_slug, any_of=WRITE)
        body = decode_body(request, ScrapingChange)
        headers = {name: value if isinstance(value, str) else None for name, value in body.headers.items()}
        row = set_scraping(
            project=access.project,
            actor=access.actor,
            enabled=body.enabled,
            allowed_origins=body.allowed_origins,
            headers=headers,
            verify_ssl=body.verify_ssl,
        )
        return answer(_shown(row))


def _shown(row: Scraping) -> ScrapingView:
    headers = {name: HiddenHeader(True) for name in row.header_names}
    return ScrapingView(row.enabled, list(row.allowed_origins), headers, row.verify_ssl)
