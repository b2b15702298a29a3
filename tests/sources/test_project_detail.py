"""One project: what is shown, what can be changed, and the catalogue it chooses from."""

from __future__ import annotations

import pytest

from projects.models import AuditEntry, Project
from tests.sources.helpers import HTTP, refused

pytestmark = pytest.mark.django_db

PATH = "/api/0/projects/acme/native-app/"


def test_a_project_is_shown(api, acme, acme_project):
    shown = api.get(PATH).json()
    assert shown.pop("dateCreated").startswith(str(acme_project.created_at.year))
    assert shown == {
        "id": str(acme_project.pk),
        "slug": "native-app",
        "name": "native-app",
        "platform": None,
        "organization": {"id": str(acme.pk), "slug": "acme"},
        "builtinSymbolSources": [],
    }
    assert api.get(f"/api/0/projects/{acme.pk}/{acme_project.pk}/").status_code == 200


def test_the_choice_of_built_in_sources_is_kept_in_the_catalogues_order(api):
    response = api.put(PATH, {"builtinSymbolSources": ["ubuntu", "microsoft", "ubuntu"]})
    assert response.status_code == 200
    assert response.json()["builtinSymbolSources"] == ["microsoft", "ubuntu"]
    assert api.get(PATH).json() == response.json()
    assert Project.objects.get().sources_revision == 1
    assert api.put(PATH, {"builtinSymbolSources": []}).json()["builtinSymbolSources"] == []


def test_what_is_not_given_or_null_stays(api):
    api.put(PATH, {"name": "Native App", "platform": "native", "builtinSymbolSources": ["amd"]})
    before = api.get(PATH).json()
    assert (before["name"], before["platform"]) == ("Native App", "native")
    assert api.put(PATH, {}).json() == before
    assert api.put(PATH, {"name": None, "platform": None, "builtinSymbolSources": None}).json() == before


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "the body must be a JSON object"),
        ({"name": 5}, "name: must be a string"),
        ({"name": " "}, "name: must not be blank or hold control characters"),
        ({"name": "x" * 201}, "name: must have at most 200 characters"),
        ({"platform": "x" * 65}, "platform: must have at most 64 characters"),
        ({"platform": "\0"}, "platform: must not hold control characters"),
        ({"builtinSymbolSources": "microsoft"}, "builtinSymbolSources: must be an array"),
        ({"slug": "x"}, "slug: unknown field"),
        (
            {"symbolSources": "[]"},
            "symbolSources: not changed here; use the project's symbol-sources/ endpoint",
        ),
    ],
)
def test_what_is_wrong_is_named(api, body, text):
    refused(api.put(PATH, body), text)
    assert AuditEntry.objects.filter(action="project.changed").count() == 0


def test_unknown_keys_are_refused_without_repeating_them(api):
    response = api.put(PATH, {"builtinSymbolSources": ["microsoft", "canary"]})
    assert response.status_code == 400
    assert response.json()["error"].startswith("builtinSymbolSources[1]: must be one of microsoft, nuget")
    assert "canary" not in response.json()["error"]


def test_deleting_a_project_is_not_offered(api):
    response = api.delete(PATH)
    assert (response.status_code, set(response["Allow"].split(", "))) == (405, {"GET", "PUT", "HEAD", "OPTIONS"})


def test_changes_leave_an_entry(api):
    api.put(PATH, {"builtinSymbolSources": ["amd"]})
    entry = AuditEntry.objects.get(action="project.changed")
    assert entry.data == {"builtin_sources": ["amd"]}


def test_the_catalogue_is_listed_by_name_without_addresses(api):
    listed = api.get("/api/0/organizations/acme/builtin-symbol-sources/").json()
    assert [entry["name"] for entry in listed] == sorted(entry["name"] for entry in listed)
    assert len(listed) == 12
    assert listed[0] == {"sentry_key": "amd", "id": "sentry:amd", "name": "AMD", "hidden": False}
    assert api.get("/api/0/organizations/acme/builtin-symbol-sources/?platform=native").json() == listed


def test_built_in_ids_cannot_be_taken(sources):
    refused(sources.post({**HTTP, "id": "sentry:amd"}), 'Source ids must not start with "sentry:"')
