"""How refusals look on the wire, in both styles."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core.api import ApiError, ApiView, MissingScope, decode_body, exception_handler
from core.wire import BodyTooLarge, BodyTooSlow
from engine.errors import DeadlineExceeded


class Own(ApiView):
    error_style = "own"


class Sentry(ApiView):
    error_style = "sentry"


def answer(error: Exception, view: type[APIView]) -> tuple[int, Any]:
    response = exception_handler(error, {"view": view()})
    assert response is not None
    return response.status_code, response.data


def test_our_own_refusal():
    error = ApiError("name: must not be blank", field="name", code="blank")
    assert answer(error, Own) == (400, {"detail": "name: must not be blank", "code": "blank", "field": "name"})
    assert answer(error, Sentry) == (400, {"error": "name: must not be blank"})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied("secret reason"), 403, "permission_denied"),
        (exceptions.NotFound("secret reason"), 404, "not_found"),
        (Http404("secret reason"), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.Throttled(3), 429, "throttled"),
        (exceptions.ParseError("JSON parse error - x"), 400, "parse_error"),
    ],
)
def test_a_refusal_of_the_framework(error, status, code):
    own, sentry = answer(error, Own), answer(error, Sentry)
    assert (own[0], own[1]["code"], own[1]["field"]) == (status, code, None)
    assert sentry == (status, {"detail": own[1]["detail"]})
    assert "secret reason" not in own[1]["detail"]


def test_a_pause_is_told_in_whole_seconds():
    response = exception_handler(exceptions.Throttled(2.5), {"view": Own()})
    assert response["Retry-After"] == "3"


@pytest.mark.parametrize(("error", "status"), [(BodyTooLarge(10), 413), (BodyTooSlow(), 408)])
def test_a_body_that_cannot_be_read_is_refused_as_by_the_framework(error, status):
    assert answer(error, Sentry) == (status, {"detail": error.message})
    assert answer(error, Own) == (status, {"detail": error.message, "code": error.code, "field": None})


def test_which_scope_is_missing_is_told_where_there_is_room_for_it():
    error = MissingScope(["project:write", "project:admin"])
    assert answer(error, Sentry) == (403, {"detail": "You do not have permission to perform this action."})
    assert answer(error, Own)[1]["detail"].endswith("It needs one of the scopes project:admin, project:write.")


@pytest.mark.parametrize(
    "error",
    [OperationalError("connection to server at 10.1.1.1 failed"), InterfaceError("the connection to 10.1.1.1 is lost")],
    ids=["refused", "lost"],
)
def test_a_database_that_is_away_is_no_fault_of_the_request(error):
    status, body = answer(error, Own)
    assert (status, body["code"], body["field"]) == (503, "unavailable", None)
    assert answer(error, Sentry) == (503, {"detail": body["detail"]})
    assert "10.1.1.1" not in body["detail"]
    assert exception_handler(error, {"view": Own()})["Retry-After"] == "5"


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), DeadlineExceeded("x")])
def test_a_fault_of_ours_is_not_dressed_up_as_a_refusal(error):
    assert exception_handler(error, {"view": Own()}) is None


class _Inner(serializers.Serializer):
    casing = serializers.ChoiceField(["lower"])


class _Outer(serializers.Serializer):
    layout = _Inner()
    tags = serializers.ListField(child=serializers.ChoiceField(["a"]), required=False)


@pytest.mark.parametrize(
    ("data", "field"),
    [({"layout": {"casing": "c4n4ry"}}, "layout.casing"), ({}, "layout"), ("c4n4ry", None),
     ({"layout": {"casing": "lower"}, "tags": ["c4n4ry"]}, "tags.0")],
)  # fmt: skip
def test_a_serializers_refusal_names_the_path_and_never_the_value(data, field):
    with pytest.raises(exceptions.ValidationError) as caught:
        _Outer(data=data).is_valid(raise_exception=True)
    status, own = answer(caught.value, Own)
    assert (status, own["field"]) == (400, field)
    assert own["detail"].startswith(f"{field}: " if field else "Invalid data")
    assert "c4n4ry" not in repr(own)
    assert answer(caught.value, Sentry)[1] == {"error": own["detail"]}


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    kind: str = ""
    layout: Literal["native", "ssqp"] = "native"
    inner: dict[str, list[str]] = {}


def _decode(data: bytes, content_type: str = "application/json") -> _Body:
    request = APIRequestFactory().post("/", data, content_type=content_type)
    return decode_body(ApiView().initialize_request(request), _Body)


def test_a_body_becomes_the_struct():
    assert _decode(b'{"kind": "a", "inner": {"b": ["c"]}}') == _Body("a", "native", {"b": ["c"]})


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"kind": 5}', "kind"),
        (b'{"layout": "c4n4ry"}', "layout"),
        (b'{"inner": {"x": ["a", "c4n4ry\\u0000"]}}', "inner.x[1]"),
        (b'{"inner": {"x": 5}}', "inner[...]"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(data, field):
    with pytest.raises(ApiError) as caught:
        _decode(data)
    assert caught.value.field == field
    assert "c4n4ry" not in caught.value.message


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"inner": {"a": ' + b"[" * 100_000])
def test_what_is_not_json_is_refused(data):
    with pytest.raises((exceptions.ParseError, ApiError)):
        _decode(data)


def test_json_deeper_than_the_stack_is_refused():
    class Anything(msgspec.Struct):
        a: Any

    request = APIRequestFactory().post("/", b'{"a": ' + b"[" * 100_000, content_type="application/json")
    with pytest.raises(exceptions.ParseError, match="too deeply"):
        decode_body(ApiView().initialize_request(request), Anything)
