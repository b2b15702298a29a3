"""What the OpenAPI schema says about authentication and the addresses of organizations and projects."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

ORGANIZATION: Final = OpenApiParameter(
    "organization_id_or_slug", str, OpenApiParameter.PATH, description="Id or slug of the organization."
)
PROJECT: Final = OpenApiParameter(
    "project_id_or_slug", str, OpenApiParameter.PATH, description="Id or slug of the project."
)
CURSOR: Final = OpenApiParameter(
    "cursor", str, OpenApiParameter.QUERY, description="Where to go on, from the `Link` header of the page before."
)
PER_PAGE: Final = OpenApiParameter(
    "per_page", {"type": "integer", "minimum": 1, "maximum": 100, "default": 100}, OpenApiParameter.QUERY
)
LINK: Final = OpenApiParameter(
    "Link",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description='The neighbouring pages: `<url>; rel="next"; results="true"; cursor="…"`.',
)
PAGING: Final = (CURSOR, PER_PAGE, LINK)


class BearerScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer <token>`."""

    target_class = "projects.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme as OpenAPI names it."""
        return {"type": "http", "scheme": "bearer", "description": "An API token: 64 lower-case hex characters."}


class SessionScheme(OpenApiAuthenticationExtension):
    """The cookie of a member who signed in; what writes needs the CSRF token in `X-CSRFToken` too."""

    target_class = "projects.authentication.MemberSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme as OpenAPI names it."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
