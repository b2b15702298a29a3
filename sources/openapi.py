"""What the OpenAPI schema says about symbol sources, made from the field tables that validate them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from core.openapi import BODY_STATUSES, ArrayOf, FieldRefusal, Refusal, challenge, refusals
from projects.openapi import ORGANIZATION, PROJECT
from sources.components import Component
from sources.fields import HIDDEN_SECRET, Field, Schema, field_schema, hidden, object_schema
from sources.types import TYPES, SourceType
from sources.validation import ID, NAME, TYPE_FIELD, foreign_fields

View = TypeVar("View", bound=type)

TAG: Final = "Symbol sources"
HIDDEN_NAME: Final = "HiddenSecret"
_FOREIGN: Final = "Not a field of this type; null counts as absent."


class BuiltinSource(msgspec.Struct):
    """A built-in symbol source. `sentry_key` is what a project's `builtinSymbolSources` names."""

    sentry_key: str
    id: str
    name: str
    hidden: bool


class BuiltinSources(ArrayOf):
    item = BuiltinSource


HIDDEN: Final = Component(
    HIDDEN_NAME,
    lambda ref: {
        "type": "object",
        "properties": {HIDDEN_SECRET: {"type": "boolean", "const": True}},
        "required": [HIDDEN_SECRET],
        "additionalProperties": False,
        "description": "A secret that is stored. In an update: keep it.",
    },
)
Form = Literal["", "New", "Changed"]


def _source(kind: SourceType, form: Form) -> Component:
    """A type's component: as it is shown, as it is created (`New`), or as it replaces another (`Changed`)."""
    return Component(f"{form}{kind.component}", lambda ref: _source_schema(kind, form, ref))


def _source_schema(kind: SourceType, form: Form, ref: Callable[[Component], Schema]) -> Schema:
    schema = object_schema((ID, NAME, *kind.fields))
    properties = schema["properties"]
    properties[TYPE_FIELD] = {"type": "string", "const": kind.name, "description": kind.label}
    schema["required"] = [TYPE_FIELD, *schema["required"]]
    for entry in kind.fields:
        if entry.name in kind.secrets:
            properties[entry.name] = _secret_schema(entry, form, ref)
    if form == "":
        schema["required"] = [ID.name, *schema["required"]]
        properties[ID.name] = {"type": "string", "description": ID.doc}
    else:
        properties |= {name: {"type": "null", "description": _FOREIGN} for name in foreign_fields(kind)}
    if {"filters", "filetypes"} <= properties.keys():
        schema["not"] = _both_given()
    return {**schema, "description": kind.doc}


def _secret_schema(entry: Field, form: Form, ref: Callable[[Component], Schema]) -> Schema:
    if form == "":
        return ref(HIDDEN)
    if form == "New":
        return field_schema(entry)
    return {"oneOf": [field_schema(entry), ref(HIDDEN)]}


def _both_given() -> Schema:
    given = {"filters": {"type": "object"}, "filetypes": {"type": "array"}}
    return {"required": list(given), "properties": given}


def _one_of(name: str, form: Form) -> Component:
    parts = {kind.name: _source(kind, form) for kind in TYPES.values()}

    def build(ref: Callable[[Component], Schema]) -> Schema:
        refs = {kind: ref(part) for kind, part in parts.items()}
        mapping = {kind: target["$ref"] for kind, target in refs.items()}
        return {
            "oneOf": list(refs.values()),
            "discriminator": {"propertyName": TYPE_FIELD, "mapping": mapping},
            # Said here as well, since the generator concludes from it that there must be a body.
            "required": [TYPE_FIELD],
        }

    return Component(name, build)


SOURCE: Final = _one_of("SymbolSource", "")
NEW: Final = _one_of("NewSymbolSource", "New")
CHANGED: Final = _one_of("ChangedSymbolSource", "Changed")
SOURCES: Final = Component("SymbolSources", lambda ref: {"type": "array", "items": ref(SOURCE)})

_ID: Final = OpenApiParameter("id", str, OpenApiParameter.QUERY, description="The source's id.")
_REQUIRED_ID: Final = OpenApiParameter(
    "id", {"type": "string", "minLength": 1}, OpenApiParameter.QUERY, required=True, description="The source's id."
)
_WARNING: Final = OpenApiParameter(
    "Warning",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description='Names sources that are stored and cannot work yet: `299 symbolsvc "source x is not configured: …"`.',
)
_UNKNOWN: Final = OpenApiExample("No such source", {"error": "Unknown source id: honk"})
_NO_ID: Final = OpenApiExample("No id", {"error": "Missing source id"})
_DUPLICATE: Final = OpenApiExample("The id is taken", {"error": "Duplicate source id: honk"})


def _bad(*examples: OpenApiExample) -> dict[int, OpenApiResponse]:
    bodies = refusals(*BODY_STATUSES, style="sentry")
    return {**bodies, 400: OpenApiResponse(Refusal, "A field or the JSON is wrong.", list(examples))}


def _missing() -> dict[int, OpenApiResponse]:
    return {404: OpenApiResponse(Refusal, "The source, or what holds it, does not exist for the caller.", [_UNKNOWN])}


def _examples(form: Form) -> list[OpenApiExample]:
    return [OpenApiExample(kind.label, dict(kind.example), request_only=True) for kind in TYPES.values()] + (
        [OpenApiExample("The password is kept", _answered(TYPES["http"]), request_only=True)]
        if form == "Changed"
        else []
    )


def _answered(kind: SourceType) -> dict[str, Any]:
    return {name: hidden() if name in kind.secrets else value for name, value in kind.example.items()}


def _shown_examples(*, many: bool = False) -> list[OpenApiExample]:
    shown = {kind.label: _answered(kind) for kind in TYPES.values()}
    return [OpenApiExample(label, [value] if many else value) for label, value in shown.items()]


@dataclass(frozen=True, slots=True)
class _Where:
    """A project or an organization, as the texts and parameters of its operations name it."""

    place: str
    article: str
    scope: str
    path: tuple[OpenApiParameter, ...]

    def needs(self, *rights: str) -> str:
        return f"Needs {' or '.join(f'`{self.scope}:{right}`' for right in rights)}."

    @property
    def named(self) -> str:
        return f"{self.article} {self.place}"


_PLACES: Final = {
    "project": _Where("project", "a", "project", (ORGANIZATION, PROJECT)),
    "organization": _Where("organization", "an", "org", (ORGANIZATION,)),
}
_DENIED: Final = refusals(403, style="sentry")


def describe_sources(place: Literal["project", "organization"]) -> Callable[[View], View]:
    """Describes the four operations on the sources of a project or an organization."""
    where = _PLACES[place]
    return extend_schema_view(get=_list(where), post=_add(where), put=_replace(where), delete=_delete(where))


def _list(where: _Where) -> Any:
    return extend_schema(
        operation_id=f"list_{where.place}_symbol_sources",
        summary=f"List the symbol sources of {where.named}",
        description=f"In order; with `id`, that one alone. {where.needs('read', 'write', 'admin')}",
        tags=[TAG],
        parameters=[*where.path, _ID, _WARNING, challenge()],
        responses={200: OpenApiResponse(SOURCES, "The sources.", _shown_examples(many=True)), **_DENIED, **_missing()},
    )


def _add(where: _Where) -> Any:
    return extend_schema(
        operation_id=f"add_{where.place}_symbol_source",
        summary=f"Add a symbol source to {where.named}",
        description=f"The source is put at the end. {where.needs('write', 'admin')}",
        tags=[TAG],
        parameters=[*where.path, _WARNING, challenge()],
        request={"application/json": NEW},
        responses={201: _one(), **_DENIED, **refusals(404, style="sentry"), **_bad(_DUPLICATE)},
        examples=_examples("New"),
    )


def _replace(where: _Where) -> Any:
    return extend_schema(
        operation_id=f"replace_{where.place}_symbol_source",
        summary=f"Replace a symbol source of {where.named}",
        description=(
            "Nothing of the old source is merged, but it keeps its position, and secrets sent as"
            f' `{{"hidden-secret": true}}`. Without `id` in the body it gets a new one. {where.needs("write", "admin")}'
        ),
        tags=[TAG],
        parameters=[*where.path, _REQUIRED_ID, _WARNING, challenge()],
        request={"application/json": CHANGED},
        responses={200: _one(), **_DENIED, **_missing(), **_bad(_NO_ID, _DUPLICATE)},
        examples=_examples("Changed"),
    )


def _delete(where: _Where) -> Any:
    return extend_schema(
        operation_id=f"delete_{where.place}_symbol_source",
        summary=f"Delete a symbol source of {where.named}",
        description=where.needs("admin"),
        tags=[TAG],
        parameters=[*where.path, _REQUIRED_ID, challenge()],
        responses={
            204: OpenApiResponse(None, "It is gone."),
            400: OpenApiResponse(FieldRefusal, "The id is missing.", [_NO_ID]),
            **_DENIED,
            **_missing(),
        },
    )


def _one() -> OpenApiResponse:
    return OpenApiResponse(SOURCE, "The source; secrets only as markers.", _shown_examples())


def describe_builtin(view: View) -> View:
    """Describes the list of built-in sources."""
    example = [{"sentry_key": "electron", "id": "sentry:electron", "name": "Electron", "hidden": False}]
    shown = OpenApiResponse(BuiltinSources, "Sorted by name.", [OpenApiExample("The catalogue", example)])
    described: View = extend_schema_view(
        get=extend_schema(
            operation_id="list_builtin_symbol_sources",
            summary="List the built-in symbol sources",
            description="Which a project uses is `builtinSymbolSources` of the project; none unless chosen.",
            tags=[TAG],
            parameters=[ORGANIZATION, challenge()],
            responses={200: shown, **refusals(403, 404, style="sentry")},
        )
    )(view)
    return described


def describe_project(fields: Sequence[Field], shown: type[msgspec.Struct]) -> Callable[[View], View]:
    """Describes showing and changing one project."""
    common: dict[str, Any] = {"tags": ["Projects"], "parameters": [ORGANIZATION, PROJECT, challenge()]}
    denied = refusals(403, 404, style="sentry")
    example = OpenApiExample("Use Microsoft's", {"builtinSymbolSources": ["microsoft"]}, request_only=True)
    return extend_schema_view(
        get=extend_schema(
            operation_id="get_project", summary="Show a project", responses={200: shown, **denied}, **common
        ),
        put=extend_schema(
            operation_id="change_project",
            summary="Change a project",
            description="Changes what is given. Needs `project:write` or `project:admin`.",
            request={"application/json": Component("ProjectChange", lambda ref: object_schema(fields))},
            responses={200: shown, **denied, **refusals(*BODY_STATUSES, style="sentry")},
            examples=[example],
            **common,
        ),
    )
