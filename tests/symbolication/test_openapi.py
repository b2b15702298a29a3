"""The description of the endpoints: it agrees with what is read, with what is answered, and with its own examples."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from engine.native import wire
from projects.models import Organization, Project
from symbolication.description import bodies
from tests.cast import Api, make_token
from tests.symbolication.requests import crash, http_source
from tests.symbolication.symbolserver import SymbolServer

PATHS = {
    "/symbolicate": "post",
    "/requests/{request_id}": "get",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/requests/{request_id}/": "get",
}


@cache
def schema() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-any-return]


def operation(path: str) -> dict[str, Any]:
    return schema()["paths"][path][PATHS[path]]  # type: ignore[no-any-return]


def problems(part: dict[str, Any], value: Any) -> list[str]:
    described = {**part, "components": schema()["components"]}
    return [error.message for error in Draft202012Validator(described).iter_errors(value)]


@pytest.mark.parametrize("path", PATHS)
def test_every_example_is_valid(path: str) -> None:
    described = operation(path)
    parts = [described.get("requestBody", {}), *described["responses"].values()]
    seen = 0
    for content in (content for part in parts for content in part.get("content", {}).values()):
        for example in content.get("examples", {}).values():
            seen += 1
            assert problems(content["schema"], example["value"]) == []
    assert seen >= 3


def test_every_status_is_described_with_its_form() -> None:
    forms = {
        (status, form)
        for status, response in operation(
            "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/"
        )["responses"].items()
        for form in response["content"]
    }

    text, json = "text/plain", "application/json"
    assert {("400", text), ("408", text), ("413", text), ("415", text), ("422", text)} <= forms
    assert {("400", json), ("401", json), ("403", json), ("404", json), ("405", json), ("503", json)} <= forms
    assert "content" not in operation("/requests/{request_id}")["responses"]["404"]


@pytest.mark.parametrize(
    ("described", "read"),
    [
        (bodies.NativeFrame, wire.Frame),
        (bodies.NativeModule, wire.Module),
        (bodies.NativeStack, wire._Stack),
        (bodies.SymbolicationOptions, wire.Options),
        (bodies.ScrapingOptions, wire.Scraping),
        (bodies.Symbolication, wire._Body),
    ],
)
def test_the_description_names_the_fields_that_are_read(
    described: type[msgspec.Struct], read: type[msgspec.Struct]
) -> None:
    def fields(struct: type[msgspec.Struct]) -> dict[str, bool]:
        return {field.name: field.required for field in msgspec.structs.fields(struct)}

    assert fields(described) == fields(read)


@pytest.mark.django_db
@pytest.mark.usefixtures("environment")
def test_a_real_answer_is_as_described(acme: Organization, acme_project: Project, symbol_server: SymbolServer) -> None:
    body = {**crash(), "sources": [http_source(symbol_server.url), http_source(f"{symbol_server.url}none/", "none")]}
    assert problems(operation("/symbolicate")["requestBody"]["content"]["application/json"]["schema"], body) == []

    answer = Api(make_token(acme)).post("/symbolicate", body).json()

    content = operation("/symbolicate")["responses"]["200"]["content"]["application/json"]
    assert answer["status"] == "completed"
    assert problems(content["schema"], answer) == []
