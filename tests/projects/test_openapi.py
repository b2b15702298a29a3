"""The schema of these endpoints: valid, complete, and true of what is answered."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from django.urls import include, path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from projects.models import ApiToken
from tests.cast import Api, make_project, make_token

ORG = "/api/0/organizations/{organization_id_or_slug}/"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    with GENERATOR_STATS.silence():
        return SchemaGenerator(patterns=[path("api/0/", include("projects.urls"))]).get_schema(public=True)


def validate(schema: dict[str, Any], part: dict[str, Any], value: Any) -> None:
    jsonschema.validate(value, {**part, "components": schema["components"]}, format_checker=jsonschema.FormatChecker())


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, found) for path, methods in schema["paths"].items() for method, found in methods.items()]


def test_the_schema_is_valid_and_without_gaps(schema):
    validate_schema(schema)
    assert not GENERATOR_STATS
    assert schema["openapi"].startswith("3.1")
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_operation_is_named_explained_and_tells_its_refusals(schema):
    for _, _, operation in operations(schema):
        assert operation["summary"]
        assert operation["description"]
        assert {"401", "405"} <= set(operation["responses"])
        assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
    assert len({operation["operationId"] for _, _, operation in operations(schema)}) == len(operations(schema))


def test_every_example_validates(schema):
    seen = 0
    for _, _, operation in operations(schema):
        for holder in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in holder.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    validate(schema, content["schema"], example["value"])
                    seen += 1
    assert seen > 30


CALLS = [
    ("get", "/api/0/", None, 200),
    ("get", "/api/0/organizations/", None, 200),
    ("get", "/api/0/organizations/?cursor=x", None, 400),
    ("get", ORG, None, 200),
    ("get", f"{ORG}projects/", None, 200),
    ("post", f"{ORG}projects/", {"name": "Second"}, 201),
    ("post", f"{ORG}projects/", {"name": "x", "slug": "native-app"}, 409),
    ("post", f"{ORG}projects/", {"name": 5}, 400),
    ("post", f"{ORG}projects/", "{", 400),
    ("get", f"{ORG}tokens/", None, 200),
    ("post", f"{ORG}tokens/", {"scopes": ["org:read"]}, 201),
    ("post", f"{ORG}tokens/", {"scopes": []}, 400),
    ("get", f"{ORG}tokens/{{token}}/", None, 200),
    ("delete", f"{ORG}tokens/{{token}}/", None, 204),
    ("get", f"{ORG}audit/", None, 200),
    ("get", f"{ORG}scopes/", None, 200),
    ("put", f"{ORG}scopes/", None, 405),
]


@pytest.mark.parametrize(("method", "template", "body", "status"), CALLS)
def test_answers_are_as_described(method, template, body, status, schema, acme):
    make_project(acme, "native-app")
    text, victim = make_token(acme), make_token(acme)
    url = template.format(organization_id_or_slug="acme", token=ApiToken.objects.get(prefix=victim[:8]).id)
    answer = Api(text).request(method.upper(), url, body)
    assert answer.status_code == status
    described = schema["paths"][template.partition("?")[0]].get(method) or schema["paths"][template]["get"]
    response = described["responses"][str(status)]
    if answer.content:
        validate(schema, response["content"]["application/json"]["schema"], answer.json())
    else:
        assert "content" not in response


@pytest.mark.parametrize(("method", "template", "body", "status"), [call for call in CALLS if call[3] < 300])
def test_refusals_are_as_described(method, template, body, status, schema, acme, umbrella):
    make_project(acme, "native-app")
    refused = [Api("0" * 64), Api(make_token(umbrella)), Api(make_token(acme, scopes=["sync:post"]))]
    for api in refused:
        answer = api.request(method.upper(), template.format(organization_id_or_slug="acme", token="0"), body)
        response = schema["paths"][template][method]["responses"][str(answer.status_code)]
        if answer.status_code >= 400:
            validate(schema, response["content"]["application/json"]["schema"], answer.json())
