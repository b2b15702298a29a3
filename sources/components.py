"""Parts of the OpenAPI schema that are made from field tables rather than from classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema

from sources.fields import Schema

Direction = Literal["request", "response"]


@dataclass(frozen=True)
class Component:
    """A named part of the schema. `build` gets a function that turns other components into references."""

    name: str
    build: Callable[[Callable[[Component], Schema]], Schema]


class ComponentSchema(OpenApiSerializerExtension):
    """Puts a `Component` into the schema."""

    target_class = Component

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        """Its own name."""
        return str(self.target.name)

    def get_identity(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        """Components are the same when their names are."""
        return self.target.name

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """What it builds."""
        built: Schema = self.target.build(lambda other: auto_schema.resolve_serializer(other, direction).ref)
        return built
