"""What the endpoints that Sentry's clients use have in common: error bodies, JSON, preflight requests of browsers."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ApiError, ApiView, ErrorStyle
from sources.parsing import StrictJsonParser

CORS_HEADERS = "Authorization, Content-Type"


class CompatibleView(ApiView):
    """The base of these endpoints. Answers are JSON whatever the request accepts.

    Browsers of other origins may call them with a token: the origin is allowed by name, and never with credentials, so
    that no session of a member is used.
    """

    error_style: ClassVar[ErrorStyle] = "sentry"
    parser_classes = (StrictJsonParser,)  # type: ignore[assignment]

    def get_authenticators(self) -> list[BaseAuthentication]:
        # Browsers send a preflight request without credentials.
        return [] if self._is_preflight() else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self._is_preflight() else super().get_permissions()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)

    def options(  # type: ignore[override]
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        """What the endpoint allows, to anybody."""
        return Response()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        origin = request.headers.get("Origin")
        answer["Access-Control-Allow-Methods"] = ", ".join(self.allowed_methods)
        answer["Access-Control-Allow-Headers"] = CORS_HEADERS
        if origin:
            answer["Access-Control-Allow-Origin"] = origin
        return answer

    @property
    def default_response_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {**super().default_response_headers, "Vary": "Origin"}
        return headers

    def _is_preflight(self) -> bool:
        # The schema is made of views that no request has reached.
        request = getattr(self, "request", None)
        return request is not None and request.method == "OPTIONS"


def source_id_of(request: Request) -> str:
    """The source that the query string names (`?id=`). Raises ApiError (400) when it names none."""
    source_id = request.query_params.get("id")
    if not source_id:
        raise ApiError("Missing source id", code="missing_id")
    return source_id
