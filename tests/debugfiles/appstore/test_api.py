"""The endpoints: who may use them, what they answer; and the test of such a source."""

from __future__ import annotations

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from debugfiles.appstore.models import AppStoreBuild, AppStoreImport
from debugfiles.appstore.services import notice_source
from projects.models import AuditEntry
from projects.scopes import SCOPES
from sources.models import SymbolSource
from sources.testing.steps import StepName
from tests.cast import Api, make_project, make_token
from tests.debugfiles.appstore.apple import source
from tests.debugfiles.appstore.conftest import P, archive
from tests.engine.webserver import reply

pytestmark = pytest.mark.django_db

READ, WRITE = {"project:read", "project:write", "project:admin"}, {"project:write", "project:admin"}
ENDPOINTS = [
    ("GET", "app-store-connect/", 200, READ),
    ("POST", "app-store-connect/our-app/import/", 202, WRITE),
]
each_endpoint = pytest.mark.parametrize(("method", "path", "status", "sufficing"), ENDPOINTS, ids=["list", "import"])


@each_endpoint
def test_exactly_the_scopes_that_suffice_do(acme, stored, method, path, status, sufficing):
    others = [scope for scope in SCOPES if scope not in sufficing]
    assert Api(make_token(acme, scopes=others)).request(method, P + path).status_code == 403
    for scope in sorted(sufficing):
        assert Api(make_token(acme, scopes=[scope])).request(method, P + path).status_code == status


@each_endpoint
def test_strangers_learn_nothing(acme, umbrella, stored, method, path, status, sufficing):
    for api in (Api(), Api("f" * 64), Api(make_token(umbrella))):
        assert api.request(method, P + path).status_code == 401
    bound = Api(make_token(acme, make_project(acme, "sibling")))
    assert bound.request(method, P + path).status_code == 404
    assert not AuditEntry.objects.filter(action="app_store_import.requested").exists()


def test_sources_of_other_projects_are_neither_listed_nor_imported(acme, api, stored):
    make_project(acme, "sibling")
    sibling = P.replace("native-app", "sibling")
    assert api.get(f"{sibling}app-store-connect/").json() == []
    assert api.post(f"{sibling}app-store-connect/our-app/import/").status_code == 404


def test_only_app_store_sources_can_be_imported(api, stored):
    http = {"id": "web", "type": "http", "name": "x", "url": "http://x", "layout": {"type": "native"}}
    api.post(f"{P}symbol-sources/", http)
    assert api.post(f"{P}app-store-connect/web/import/").status_code == 404
    assert api.post(f"{P}app-store-connect/nothing/import/").status_code == 404
    assert len(api.get(f"{P}app-store-connect/").json()) == 1


def test_ids_with_slashes_are_found(api, apple):
    api.post(f"{P}symbol-sources/", source(id="a/b c"))
    answer = api.post(f"{P}app-store-connect/a%2Fb%20c/import/")
    assert (answer.status_code, answer.json()["sourceId"]) == (202, "a/b c")


def test_an_import_by_hand_is_audited_and_due_at_once(api, stored):
    AppStoreImport.objects.update(next_run=None)
    assert api.post(f"{P}app-store-connect/our-app/import/").json()["nextImport"] is not None
    entry = AuditEntry.objects.get(action="app_store_import.requested")
    assert (entry.target, entry.token_id is not None) == ("our-app", True)


def test_a_source_of_the_organization_is_listed_and_not_imported(api, acme, acme_project, apple):
    api.post("/api/0/organizations/acme/symbol-sources/", source())
    (status,) = api.get(f"{P}app-store-connect/").json()
    assert (status["state"], status["nextImport"]) == ("inherited", None)
    assert "Add the source to the project" in status["error"]["remedy"]
    assert not AppStoreImport.objects.exists()


def test_a_new_source_is_shown_before_its_first_import(api, stored):
    (status,) = api.get(f"{P}app-store-connect/").json()
    assert (status["state"], status["lastImport"], status["error"]) == ("new", None, None)
    assert status["builds"]["seen"] == 0


def test_answers_are_what_the_schema_says(api, apple, importing):
    document = SchemaGenerator().get_schema(request=None, public=True)
    place = "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/app-store-connect/"
    listed = document["paths"][place]["get"]["responses"]
    asked = document["paths"][f"{place}{{source_id}}/import/"]["post"]["responses"]
    assert (set(listed), set(asked)) == ({"200", "401", "403", "404", "405", "503"}, {"202", *set(listed) - {"200"}})
    apple.add("1.0", b"nonsense")
    importing()
    apple.refuse = reply("401 Unauthorized")
    importing()
    for responses, status, body in (
        (listed, "200", api.get(f"{P}app-store-connect/").json()),
        (asked, "202", api.post(f"{P}app-store-connect/our-app/import/").json()),
    ):
        content = responses[status]["content"]["application/json"]
        validator = Draft202012Validator({**content["schema"], "components": document["components"]})
        validator.validate(body)
        for example in content["examples"].values():
            validator.validate(example["value"])


def test_fixtures_that_are_loaded_import_nothing(stored):
    AppStoreImport.objects.all().delete()
    notice_source(instance=SymbolSource.objects.get(), raw=True)
    assert not AppStoreImport.objects.exists()


class TestTrials:
    def tried(self, api, body, query=""):
        response = api.post(f"{P}symbol-sources/test/{query}", body)
        assert response.status_code == 200, response.content
        report = response.json()
        assert [step["step"] for step in report["steps"]] == [str(step) for step in StepName]
        assert all(step["text"].endswith(".") for step in report["steps"]), report
        return report, {step["step"]: (step["status"], step["text"]) for step in report["steps"]}

    def test_a_source_that_works(self, api, apple):
        apple.add("1.0", archive(1))
        apple.add("2.0", None, day=2)
        report, steps = self.tried(api, source())
        assert (report["verdict"], report["layout"]) == ("ok", None)
        assert steps["authenticate"] == ("ok", "Apple accepts the key.")
        assert steps["list"] == ("ok", "The app is there: Our App.")
        assert steps["read"] == ("ok", "2 build(s), 1 of them with dSYM files.")
        assert steps["file"] == ("ok", "The latest is a zip archive.")
        assert steps["layout"][0] == "skipped"
        assert not AppStoreBuild.objects.exists()

    def test_a_stored_source_is_tested_with_its_key(self, api, apple, stored):
        report, steps = self.tried(api, {}, "?id=our-app")
        assert report["verdict"] == "ok"
        assert steps["file"] == ("skipped", "No build of the first page offers dSYM files.")

    def test_a_key_that_apple_refuses(self, api, apple):
        apple.refuse = reply("401 Unauthorized")
        report, steps = self.tried(api, source())
        assert (report["verdict"], steps["authenticate"][0]) == ("refused", "failed")
        assert "key is active" in report["remedy"]
        assert len(apple.api.asked) == 1

    def test_an_app_that_is_not_there(self, api, apple):
        report, steps = self.tried(api, source(appId="999"))
        assert (report["verdict"], steps["authenticate"][0], steps["list"][0]) == ("not_found", "ok", "failed")
        assert "appId" in report["remedy"]

    def test_an_archive_that_is_none(self, api, apple):
        apple.add("1.0", b"<html>login</html>")
        report, steps = self.tried(api, source())
        assert (report["verdict"], steps["file"][0]) == ("malformed", "failed")

    def test_a_source_that_is_not_complete(self, api, apple):
        report, steps = self.tried(api, source(appconnectKey=None))
        assert (report["verdict"], steps["authenticate"][0]) == ("not_configured", "failed")
        assert "appconnectKey" in report["cause"]
        assert apple.api.asked == []

    def test_networks_that_are_not_allowed_are_not_reached(self, api, apple, settings):
        settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ()}
        report, steps = self.tried(api, source())
        assert (report["verdict"], steps["resolve"][0]) == ("unreachable", "failed")
        assert "ALLOWED_SOURCE_NETWORKS" in report["remedy"]
