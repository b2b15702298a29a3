"""Requests whose body is JSON."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from core.wire.body import read_body
from engine.native.wire import BadJson, BadSchema
from engine.sourcetypes.config import BadSource
from symbolication.callers import Caller
from symbolication.jobs import Work
from symbolication.query import Query
from symbolication.rejections import JSON, Rejected
from symbolication.views import base
from symbolication.views.flight import answered, query_of


def answer_json(
    request: Request | HttpRequest, caller: Caller, prepare: Callable[[bytes, Query], Work]
) -> HttpResponse:
    """What comes of the work that `prepare` makes of the body.

    Raises Rejected for the query string, the content type, BadJson (400), BadSchema and BadSource (422), and what
    `answered` raises.
    """
    query = query_of(request)
    _check_content_type(str(request.META.get("CONTENT_TYPE", "")))

    def read_and_prepare() -> Work:
        try:
            return prepare(read_body(request, limit=base.BODY_LIMIT), query)
        except BadJson as error:
            raise Rejected(400, error.message) from None
        except (BadSchema, BadSource) as error:
            raise Rejected(422, error.message) from None

    return answered(query, caller.asker, read_and_prepare)


def _check_content_type(header: str) -> None:
    kind = header.partition(";")[0].strip().lower()
    if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Rejected(415, "The content type of the request must be application/json")
