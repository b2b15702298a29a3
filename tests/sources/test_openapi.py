"""The schema tells the truth: its examples validate, and it accepts exactly the bodies that the service accepts."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from core.api import ApiError
from sources.types import TYPES
from sources.types.s3 import REGIONS
from sources.validation import read_source
from tests.sources.helpers import BODIES, HIDDEN, HTTP, LAYOUTS, S3, SECRETS, echo

PROJECT = "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbol-sources/"
ORGANIZATION = "/api/0/organizations/{organization_id_or_slug}/symbol-sources/"
OTHERS = [
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/",
    "/api/0/organizations/{organization_id_or_slug}/builtin-symbol-sources/",
]


@cache
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def validator(component: str) -> Draft202012Validator:
    reference = {"$ref": f"#/components/schemas/{component}", "components": document()["components"]}
    return Draft202012Validator(reference)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path in [PROJECT, ORGANIZATION, *OTHERS]
        for method, operation in document()["paths"][path].items()
    ]


def contents() -> list[tuple[dict[str, Any], Any]]:
    """Every schema of a body with each of its examples."""
    bodies = [operation["requestBody"] for _, _, operation in operations() if "requestBody" in operation]
    bodies += [response for _, _, operation in operations() for response in operation["responses"].values()]
    media = [body["content"]["application/json"] for body in bodies if "content" in body]
    return [(one["schema"], example["value"]) for one in media for example in one.get("examples", {}).values()]


def test_every_example_validates():
    assert len(contents()) > 40
    for schema, example in contents():
        Draft202012Validator({**schema, "components": document()["components"]}).validate(example)


def test_every_body_has_an_example():
    for _, method, operation in operations():
        if method in {"post", "put"}:
            assert operation["requestBody"]["content"]["application/json"]["examples"]


@pytest.mark.parametrize("path", [PROJECT, ORGANIZATION])
def test_every_status_is_documented(path):
    statuses = {method: set(operation["responses"]) for method, operation in document()["paths"][path].items()}
    refusals = {"401", "403", "404", "405", "503"}
    body = {"400", "408", "413", "415"}
    assert statuses == {
        "get": {"200"} | refusals,
        "post": {"201"} | refusals | body,
        "put": {"200"} | refusals | body,
        "delete": {"204", "400"} | refusals,
    }


@pytest.mark.parametrize("form", ["SymbolSource", "NewSymbolSource", "ChangedSymbolSource"])
def test_there_is_one_component_for_each_type(form):
    schema = document()["components"]["schemas"][form]
    assert schema["discriminator"]["propertyName"] == "type"
    assert set(schema["discriminator"]["mapping"]) == set(TYPES)
    assert [one["$ref"] for one in schema["oneOf"]] == list(schema["discriminator"]["mapping"].values())


def test_the_known_regions_are_listed():
    region = document()["components"]["schemas"]["NewS3Source"]["properties"]["region"]
    assert region["anyOf"][0]["enum"] == list(REGIONS)
    assert len(REGIONS) == 21


@pytest.mark.parametrize("kind", BODIES)
def test_answers_validate(kind):
    for layout in LAYOUTS if kind != "appStoreConnect" else [None]:
        body = {**BODIES[kind], "layout": {"type": layout}} if layout else BODIES[kind]
        validator("SymbolSource").validate(echo(body))
        assert not validator("SymbolSource").is_valid(body)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "sentry", "sentry:x", "sentryx", "http://x", "http://u@x", "a\nb", "x" * 256, "native"]),
    st.sampled_from([[], {}, ["pe"], ["nope"], ["x", "http://x"], ["x", "y"], ["", "http://x"], HIDDEN]),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from([*LAYOUTS, None, "x"]),
            "casing": st.sampled_from([None, "default", 5]),
            "x": st.none(),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "filetypes": st.sampled_from([None, [], ["pe"], ["wasm_code"], ["x"], "pe"]),
            "path_patterns": st.lists(st.text(alphabet="a*/[]!", max_size=5), max_size=2) | st.none(),
            "requires_checksum": st.sampled_from([None, True, False, 1, "x"]),
        },
    ),
)
NAMES = sorted({entry.name for kind in TYPES.values() for entry in kind.fields} | {"id", "name", "type", "headers"})


@given(
    base=st.sampled_from([*BODIES.values(), {**S3, "region": ["x", "http://x"]}, {**HTTP, "filters": {}}]),
    changes=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
    keeping=st.booleans(),
)
def test_the_schema_accepts_exactly_what_the_service_accepts(base, changes, keeping):
    body = {**base, **changes}
    secret = SECRETS.get(str(body["type"]))
    if keeping and secret:
        body[secret] = HIDDEN
    for component, may_keep in (("NewSymbolSource", False), ("ChangedSymbolSource", True)):
        assert validator(component).is_valid(body) == accepted(body, may_keep=may_keep)


def accepted(body: dict[str, Any], *, may_keep: bool) -> bool:
    try:
        read_source(body, may_keep=may_keep)
    except ApiError:
        return False
    return True
