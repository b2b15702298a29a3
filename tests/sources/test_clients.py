"""What Terraform's provider and sentry-cli need: the flows they run, with the decoding they do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cast import Api, make_token
from tests.sources.helpers import BODIES, SECRETS, Endpoint, project_path

pytestmark = pytest.mark.django_db


class HiddenSecret(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    hidden_secret: bool


class Layout(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    casing: str | msgspec.UnsetType = msgspec.UNSET


class SourceOfTerraform(msgspec.Struct, forbid_unknown_fields=True, rename={"prefix_": "prefix"}):
    """How the provider's client decodes a source: secrets into an object, everything else into text."""

    id: str
    type: str
    name: str
    layout: Layout | None = None
    url: str | None = None
    username: str | None = None
    password: HiddenSecret | None = None
    bucket: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: HiddenSecret | None = None
    prefix_: str | None = None
    client_email: str | None = None
    private_key: HiddenSecret | None = None


ALL_FIELDS = sorted(
    {name for kind, body in BODIES.items() if kind != "appStoreConnect" for name in body}
    - {"id", "type", "name", "layout"}
)
PLANS = {
    kind: {**dict.fromkeys(ALL_FIELDS), **body, "layout": {"casing": "default", **body["layout"]}}
    for kind, body in BODIES.items()
    if kind != "appStoreConnect"
}


def decoded(response: Any, status: int) -> SourceOfTerraform:
    assert response.status_code == status, response.content
    return msgspec.json.decode(response.content, type=SourceOfTerraform)


def read(sources: Endpoint, source_id: str) -> SourceOfTerraform:
    """The provider reads a list that is selected by id and takes its only element."""
    response = sources.get(source_id)
    (source,) = msgspec.json.decode(response.content, type=list[SourceOfTerraform])
    return source


@pytest.fixture
def terraform(acme, acme_project):
    token = make_token(acme, scopes=["project:read", "project:write", "project:admin"])
    return Endpoint(Api(token), project_path())


@pytest.mark.parametrize("kind", PLANS)
def test_terraform_creates_reads_updates_imports_and_deletes(terraform, kind):
    plan = PLANS[kind]
    created = decoded(terraform.post({**plan, "id": None}), 201)
    assert read(terraform, created.id) == created
    for name, value in plan.items():
        if name not in {"id", "layout", *SECRETS.values()}:
            assert getattr(created, "prefix_" if name == "prefix" else name) == value
    assert getattr(created, SECRETS[kind]) == HiddenSecret(hidden_secret=True)
    assert msgspec.to_builtins(created.layout) == plan["layout"]

    # An update sends the id in the query and in the body, and its secrets in clear.
    update = {**plan, "id": created.id, "name": "renamed", SECRETS[kind]: "another"}
    updated = decoded(terraform.put(created.id, update), 200)
    assert (updated.id, updated.name) == (created.id, "renamed")
    assert read(terraform, updated.id) == updated
    assert decoded(terraform.put(created.id, update), 200) == updated

    assert terraform.delete(created.id).status_code == 204
    assert terraform.get(created.id).status_code == 404
    assert terraform.delete(created.id).status_code == 404


def test_unset_blocks_are_sent_as_null(terraform):
    plan = PLANS["http"]
    created = decoded(terraform.post({**plan, "layout": {"type": "native", "casing": None}}), 201)
    assert created.layout == Layout("native")
    response = terraform.post({**plan, "id": "other", "layout": None})
    assert (response.status_code, response.json()) == (400, {"error": "layout: this field is required"})
    apple = {**dict.fromkeys(ALL_FIELDS), **BODIES["appStoreConnect"], "layout": None}
    assert terraform.post(without_foreign(apple)).status_code == 201


def without_foreign(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def test_every_refusal_has_one_key_that_sentry_cli_shows(terraform):
    terraform.add(BODIES["http"])
    responses = [
        terraform.post({}),
        terraform.post(BODIES["http"]),
        terraform.post([]),
        terraform.api.post(terraform.path, "{"),
        terraform.api.post(terraform.path, "a=b", content_type="application/x-www-form-urlencoded"),
        terraform.put("hank", BODIES["http"]),
        terraform.api.put(terraform.path, BODIES["http"]),
        terraform.api.request("PATCH", terraform.path, {}),
        terraform.api.get(project_path(project="nothing")),
        Api().get(terraform.path),
        Api("0" * 64).get(terraform.path),
    ]
    for response in responses:
        assert 400 <= response.status_code < 500
        (key,) = response.json()
        assert key in {"detail", "error"}
        assert isinstance(response.json()[key], str)


def test_fields_of_other_types_may_be_null(terraform):
    """The provider's client leaves nothing out: what a type does not have is sent as null or not at all."""
    for plan in PLANS.values():
        assert terraform.post(plan).status_code == 201
