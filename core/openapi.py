"""The OpenAPI schema from the structs that decode and make the bodies: one definition for wire and description."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

import msgspec
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from core.api import FORBIDDEN_TEXT, NOT_FOUND_TEXT, UNAVAILABLE_TEXT, ErrorStyle

Direction = Literal["request", "response"]
_TYPES: Final[Mapping[type, str]] = {str: "string", bool: "boolean", int: "integer"}
_REF: Final = "#/components/schemas/{name}"


class Error(msgspec.Struct):
    """Why a request is refused."""

    detail: str
    code: str
    field: str | None


class FrameworkRefusal(msgspec.Struct):
    """Why a request is refused before its endpoint looks at it."""

    detail: str


class FieldRefusal(msgspec.Struct):
    """Why an endpoint refuses a request."""

    error: str


class Refusal(msgspec.Struct):
    """Why a request is refused: exactly one of the two keys."""

    detail: str | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET


class ArrayOf:
    """The base of answers that are a plain array: `class Things(ArrayOf): item = Thing`."""

    item: ClassVar[type[msgspec.Struct]]


class StructSchema(OpenApiSerializerExtension):
    """Describes msgspec structs, the ones inside them included, as components of their own."""

    target_class = msgspec.Struct
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """The component is called as the struct is."""
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """The struct's JSON schema; structs that it refers to are registered beside it."""
        _, components = msgspec.json.schema_components([self.target], ref_template=_REF)
        own: dict[str, Any] = components.pop(self.target.__name__)
        # A struct inside another may be an answer of its own as well: it is one component.
        classes = {struct.__name__: struct for struct in _structs(msgspec.inspect.type_info(self.target), set())}
        for name, schema in components.items():
            known = classes.get(name, name)
            nested = ResolvedComponent(name, ResolvedComponent.SCHEMA, _tidy(schema), object=known)
            auto_schema.registry.register_on_missing(nested)
        return _tidy(own)


class ArraySchema(OpenApiSerializerExtension):
    """Describes an `ArrayOf`."""

    target_class = ArrayOf
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """The component is called as the class is."""
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """An array of the item's component."""
        return {"type": "array", "items": auto_schema.resolve_serializer(self.target.item, direction).ref}


def _structs(type_: msgspec.inspect.Type, seen: set[type]) -> Iterator[type]:
    """The structs that a type holds, itself included; `seen` are those that were there before."""
    if isinstance(type_, msgspec.inspect.StructType):
        if type_.cls in seen:
            return
        seen.add(type_.cls)
        yield type_.cls
        inner: Iterable[Any] = (field.type for field in type_.fields)
    else:
        held = (getattr(type_, name, ()) for name in ("item_type", "item_types", "key_type", "value_type", "types"))
        inner = (one for part in held for one in (part if isinstance(part, tuple) else (part,)))
    for one in inner:
        yield from _structs(one, seen)


def _tidy(schema: Mapping[str, Any]) -> dict[str, Any]:
    tidy = {key: _tidy_inner(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    types = {type(value) for value in schema.get("enum", ())}
    if len(types) == 1:
        # The generator's pass over enumerations looks at their type, which msgspec leaves out.
        tidy.setdefault("type", _TYPES[types.pop()])
    return tidy


def _tidy_inner(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _tidy(value)
    return [_tidy_inner(inner) for inner in value] if isinstance(value, list) else value


_CHALLENGE: Final = OpenApiParameter(
    "WWW-Authenticate", str, OpenApiParameter.HEADER, response=[401], description='Always `xBasic realm="api"`.'
)
_TEXTS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("A field or the JSON is wrong.", "invalid", "name: must not be blank"),
    401: ("No token, or one that opens nothing here.", "authentication_failed", "Invalid token"),
    403: ("The token or the member lacks the scope.", "missing_scope", FORBIDDEN_TEXT),
    404: ("It does not exist, or not for the caller.", "not_found", NOT_FOUND_TEXT),
    405: ("The address knows no such method.", "method_not_allowed", 'Method "PATCH" not allowed.'),
    408: ("The body came too slowly.", "body_too_slow", "The body came too slowly."),
    409: ("It exists already.", "taken", "slug: is taken"),
    413: ("The body is too large.", "body_too_large", "The body is larger than 1048576 bytes."),
    415: ("The body is not JSON.", "unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
    429: ("Too many at once.", "too_many_runs", "Wait until other runs of this project have ended."),
    503: ("The database does not answer.", "unavailable", UNAVAILABLE_TEXT),
}
_OWN_STATUSES: Final = frozenset({400, 409})
BODY_STATUSES: Final = (400, 408, 413, 415)


def challenge() -> OpenApiParameter:
    """The header that every 401 carries; to be put among an operation's parameters."""
    return _CHALLENGE


def refusals(*statuses: int, style: ErrorStyle = "own") -> dict[int, OpenApiResponse]:
    """The answers by which an endpoint refuses, described; 401, 405 and 503 always come along."""
    return {status: _refusal(status, style) for status in sorted({401, 405, 503, *statuses})}


def _refusal(status: int, style: ErrorStyle) -> OpenApiResponse:
    description, code, text = _TEXTS[status]
    if style == "own":
        field = text.partition(":")[0] if status in _OWN_STATUSES else None
        return _response(Error, description, {"detail": text, "code": code, "field": field})
    if status == 400:
        return _response(Refusal, description, {"error": text})
    if status in _OWN_STATUSES:
        return _response(FieldRefusal, description, {"error": text})
    return _response(FrameworkRefusal, description, {"detail": text})


def _response(schema: type[msgspec.Struct], description: str, example: dict[str, Any]) -> OpenApiResponse:
    return OpenApiResponse(schema, description, [OpenApiExample("Refused", example)])
