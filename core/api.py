"""What every REST endpoint stands on: its errors, how they look on the wire, and how a JSON body becomes typed.

Two styles of error bodies. `own`: `{"detail": text, "code": code, "field": path or null}` for everything. `sentry`, for
endpoints that clients of Sentry use: exactly one key, since sentry-cli shows the text of no other shape; `detail` for
what the framework refuses (401, 403, 404, 405, 415, malformed JSON, throttling) and `error` for what the endpoint
itself refuses. A text names fields by path and never repeats a value.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import connections
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.database import AWAY, RETRY_SECONDS
from core.text import storable
from core.wire.body import read_body
from engine.errors import SymbolsvcError

log = logging.getLogger(__name__)

ErrorStyle = Literal["own", "sentry"]
Decoded = TypeVar("Decoded")

NOT_FOUND_TEXT: Final = "The requested resource does not exist"
UNAVAILABLE_TEXT: Final = "The database does not answer just now. Try again in a few seconds."
FORBIDDEN_TEXT: Final = "You do not have permission to perform this action."

# Texts of Django REST framework that would repeat what was sent, by their code.
_VALUE_FREE_TEXTS: Final = {
    "invalid_choice": "is not one of the allowed values",
    "does_not_exist": "does not exist",
    "incorrect_type": "has the wrong type",
    "no_match": "is not one of the allowed values",
}
# msgspec repeats the value in these two.
_VALUE_BEARING: Final = ("Invalid enum value", "Invalid value")


class ApiError(SymbolsvcError):
    """A request is refused: `message` is the answer's text, `field` the path of the field it is about."""

    def __init__(self, message: str, *, status: int = 400, code: str = "invalid", field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class MissingScope(exceptions.PermissionDenied):
    """The caller is known and may see the organization, and lacks every scope that would suffice."""

    def __init__(self, any_of: Collection[str]) -> None:
        super().__init__(FORBIDDEN_TEXT, "missing_scope")
        self.any_of = tuple(sorted(any_of))

    @property
    def hint(self) -> str:
        """Which scopes suffice, in words."""
        return f"It needs {'one of the scopes' if len(self.any_of) > 1 else 'the scope'} {', '.join(self.any_of)}."


class AlwaysFirstRenderer(BaseContentNegotiation):
    """Answers in the one form there is, whatever the client would prefer: no 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser for the body's media type, as the framework finds it."""
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first of the view's renderers."""
        first = next(iter(renderers))
        return first, first.media_type


class ApiView(APIView):
    """The base of REST views. `error_style` decides how refusals look (see the module)."""

    error_style: ClassVar[ErrorStyle] = "own"
    content_negotiation_class = AlwaysFirstRenderer
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)


def answer(body: msgspec.Struct | Sequence[msgspec.Struct], status: int = 200, **headers: str) -> Response:
    """`body` as a JSON answer."""
    return Response(msgspec.to_builtins(body), status, headers=headers)


def not_found() -> exceptions.NotFound:
    """The one 404 of the API: it never tells whether something exists that the caller may not see."""
    return exceptions.NotFound(NOT_FOUND_TEXT)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Django REST framework's hook: the answer for `exc`, or None for what is a fault of ours (500)."""
    style: ErrorStyle = getattr(context.get("view"), "error_style", "own")
    if isinstance(exc, exceptions.ValidationError):
        exc = _first_problem(exc)
    if isinstance(exc, SymbolsvcError):
        return _refusal(exc, style)
    if isinstance(exc, AWAY):
        return _unavailable(exc, style)
    known = _framework_error(exc)
    if known is None:
        return None
    _roll_back()
    return Response(_framework_body(known, style), known.status_code, headers=_headers(known))


def _unavailable(error: Exception, style: ErrorStyle) -> Response:
    log.error("the database failed a request: %s", error)
    body = {"detail": UNAVAILABLE_TEXT}
    own = {"code": "unavailable", "field": None} if style == "own" else {}
    return Response(body | own, 503, headers={"Retry-After": str(RETRY_SECONDS)})


def _refusal(error: SymbolsvcError, style: ErrorStyle) -> Response | None:
    status = getattr(error, "status", None)
    if status is None:
        return None
    _roll_back()
    if style == "sentry":
        return Response({"error" if isinstance(error, ApiError) else "detail": error.message}, status)
    return Response({"detail": error.message, "code": error.code, "field": getattr(error, "field", None)}, status)


def _framework_error(exc: Exception) -> exceptions.APIException | None:
    if isinstance(exc, exceptions.APIException):
        return exc
    if isinstance(exc, Http404):
        return not_found()
    if isinstance(exc, DjangoPermissionDenied):
        return exceptions.PermissionDenied(FORBIDDEN_TEXT)
    if isinstance(exc, UnreadablePostError):
        return exceptions.ParseError("The body could not be read to its end.")
    return None


def _framework_body(error: exceptions.APIException, style: ErrorStyle) -> dict[str, Any]:
    detail = NOT_FOUND_TEXT if isinstance(error, exceptions.NotFound) else str(error.detail)
    if style == "sentry":
        return {"detail": detail}
    if isinstance(error, MissingScope):
        detail = f"{detail} {error.hint}"
    return {"detail": detail, "code": str(error.get_codes()), "field": None}


def _headers(error: exceptions.APIException) -> dict[str, str]:
    # Both are set by the framework's view on the exception: the challenge of a 401, the pause of a 429.
    challenge, wait = getattr(error, "auth_header", None), getattr(error, "wait", None)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return headers | ({"Retry-After": str(wait)} if wait else {})


def _roll_back() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


def _first_problem(error: exceptions.ValidationError) -> ApiError:
    path, detail = next(_problems(error.detail, ""), ("", exceptions.ErrorDetail("invalid", "invalid")))
    text = _VALUE_FREE_TEXTS.get(detail.code or "", str(detail))
    return ApiError(f"{path}: {text}" if path else text, field=path or None, code=detail.code or "invalid")


def _problems(detail: Any, path: str) -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _problems(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _problems(inner, path)
    elif isinstance(detail, exceptions.ErrorDetail):
        yield path, detail


def decode_body(request: Request, type_: type[Decoded], *, limit: int | None = None) -> Decoded:
    """The JSON body of `request` as `type_` (a msgspec struct, or what holds some): strict types, storable text.

    `limit`: bytes it may have; None for what the settings say.
    Raises UnsupportedMediaType (415), ParseError (400, malformed JSON), ApiError (400, wrong fields) and what
    `core.wire.body.read_body` raises (408, 413).
    """
    body = read_body(request, limit=settings.API_BODY_MAX_BYTES if limit is None else limit)
    media_type = request.content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and (media_type or body):
        raise exceptions.UnsupportedMediaType(request.content_type)
    decoded = _decode(body, type_)
    _check_text(msgspec.to_builtins(decoded), "")
    return decoded


def _decode(body: bytes, type_: type[Decoded]) -> Decoded:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise exceptions.ParseError(f"JSON parse error - {reason}") from None


def _invalid(text: str) -> ApiError:
    reason, _, path = text.partition(" - at `")
    field = path.rstrip("`").removeprefix("$").lstrip(".")
    if reason.startswith(_VALUE_BEARING):
        reason = "is not one of the allowed values"
    return ApiError(f"{field}: {reason}" if field else reason, field=field or None)


def _check_text(value: Any, path: str) -> None:
    if isinstance(value, str):
        if storable(value) != value:
            raise ApiError(f"{path}: must not contain NUL or unpaired surrogates", field=path)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            _check_text(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _check_text(inner, f"{path}[{number}]")
