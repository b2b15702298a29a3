"""Keys: who may see, create, change and delete them, and what a DSN is."""

from __future__ import annotations

import json
import re
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from crashes.models import Crash, ProjectKey
from crashes.sentry.keys import create_key
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.cast import Api, make_project, make_token
from tests.crashes.sentry.sending import Sender

KEYS = "/api/0/projects/acme/native-app/keys/"


@pytest.fixture
def key(acme_project):
    return create_key(project=acme_project, actor=SYSTEM, label="desktop")


def api(project, *scopes):
    return Api(make_token(project.organization, project, scopes))


def trail():
    return [(one.action, one.target, one.data) for one in AuditEntry.objects.filter(action__startswith="project_key")]


def test_a_key_is_created_with_its_dsn(acme_project):
    answer = api(acme_project, "project:write").post(KEYS, {"name": "desktop"})
    assert answer.status_code == 201
    told = answer.json()
    public, number = told["public"], acme_project.pk
    assert re.fullmatch("[0-9a-f]{32}", public)
    assert told["dateCreated"]
    assert {key: told[key] for key in told if key != "dateCreated"} == {
        "id": public,
        "name": "desktop",
        "label": "desktop",
        "public": public,
        "secret": public,
        "projectId": number,
        "isActive": True,
        "lastUsed": None,
        "dsn": {
            "public": f"http://{public}@testserver/{number}",
            "secret": f"http://{public}:{public}@testserver/{number}",
            "minidump": f"http://testserver/api/{number}/minidump/?sentry_key={public}",
            "envelope": f"http://testserver/api/{number}/envelope/?sentry_key={public}",
        },
    }
    assert trail() == [("project_key.created", public, {"label": "desktop"})]
    assert Sender(ProjectKey.objects.get()).post("store/", b"{}").status_code == 200


@pytest.mark.parametrize(
    ("url", "dsn"),
    [
        ("https://errors.example.com", "https://{key}@errors.example.com/{id}"),
        ("https://example.com:8443/symbols/", "https://{key}@example.com:8443/symbols/{id}"),
    ],
)
def test_a_dsn_names_the_address_that_users_see(key, acme_project, monkeypatch, url, dsn):
    monkeypatch.setitem(settings.ENVIRONMENT, "PUBLIC_URL", url)
    told = api(acme_project, "project:read").get(f"{KEYS}{key.public}/").json()
    assert told["dsn"]["public"] == dsn.format(key=key.public, id=acme_project.pk)


def test_keys_are_listed_oldest_first_in_pages(key, acme_project):
    second = create_key(project=acme_project, actor=SYSTEM)
    answer = api(acme_project, "project:read").get(KEYS)
    assert [(one["id"], one["name"]) for one in answer.json()] == [(key.public, "desktop"), (second.public, "Default")]
    first = api(acme_project, "project:read").get(f"{KEYS}?per_page=1")
    assert [one["id"] for one in first.json()] == [key.public]
    assert 'rel="next"; results="true"' in first["Link"]


def test_a_key_is_renamed_stopped_and_restarted(key, acme_project):
    writer, sender = api(acme_project, "project:write"), Sender(key)
    for active, status in ((False, 403), (True, 200)):
        told = writer.put(f"{KEYS}{key.public}/", {"isActive": active}).json()
        assert told["isActive"] is active
        assert sender.post("store/", b"{}").status_code == status
    assert writer.put(f"{KEYS}{key.public}/", {"name": "web"}).json()["name"] == "web"
    assert writer.put(f"{KEYS}{key.public}/", {"name": "web", "isActive": True}).status_code == 200
    assert [(action, data) for action, _, data in trail()] == [
        ("project_key.changed", {"label": "web"}),
        ("project_key.changed", {"is_active": True}),
        ("project_key.changed", {"is_active": False}),
        ("project_key.created", {"label": "desktop"}),
    ]


def test_a_deleted_key_opens_nothing_and_its_crashes_stay(key, acme_project):
    sender = Sender(key)
    assert sender.post("store/", b"{}").status_code == 200
    boss = api(acme_project, "project:admin")
    assert boss.delete(f"{KEYS}{key.public}/").status_code == 204
    assert sender.post("store/", b"{}").status_code == 403
    assert boss.delete(f"{KEYS}{key.public}/").status_code == 404
    assert Crash.objects.count() == 1
    assert trail()[0] == ("project_key.deleted", key.public, {"label": "desktop"})


METHODS = {
    "list": ("GET", KEYS, {"project:read", "project:write", "project:admin"}),
    "create": ("POST", KEYS, {"project:write", "project:admin"}),
    "show": ("GET", KEYS + "{key}/", {"project:read", "project:write", "project:admin"}),
    "change": ("PUT", KEYS + "{key}/", {"project:write", "project:admin"}),
    "delete": ("DELETE", KEYS + "{key}/", {"project:admin"}),
}
each_method = pytest.mark.parametrize("name", sorted(METHODS))


def ask(caller, name, key):
    method, path, _ = METHODS[name]
    return caller.request(method, path.format(key=key.public), {} if method in ("POST", "PUT") else None).status_code


@each_method
@pytest.mark.parametrize(
    "scope", ["project:read", "project:write", "project:admin", "event:read", "error:post", "org:read"]
)
def test_what_each_scope_may_do(key, acme_project, name, scope):
    allowed = scope in METHODS[name][2]
    assert (ask(api(acme_project, scope), name, key) < 300) is allowed
    assert allowed or ask(api(acme_project, scope), name, key) == 403


@each_method
def test_nobody_from_elsewhere_sees_or_touches_keys(key, acme, acme_project, umbrella_project, stranger, member, name):
    other = make_project(acme, "other")
    assert ask(Api(), name, key) == 401
    assert ask(api(umbrella_project, *METHODS[name][2]), name, key) == 401
    assert ask(api(other, *METHODS[name][2]), name, key) == 404
    assert ask(Api(user=stranger), name, key) == 404
    assert ask(Api(user=member), name, key) == (200 if METHODS[name][0] == "GET" else 403)
    assert ProjectKey.objects.get().label == "desktop"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_key_of_another_project_is_not_found_below_this_one(key, acme, method):
    other = make_project(acme, "other")
    caller = Api(make_token(acme, None))
    path = f"/api/0/projects/acme/{other.slug}/keys/{key.public}/"
    assert caller.request(method, path, {} if method == "PUT" else None).status_code == 404
    assert ProjectKey.objects.filter(pk=key.pk, is_active=True).exists()


@pytest.mark.parametrize("key_id", ["1", "x" * 32, "%00", "A" * 32, "é"])
def test_what_is_no_key_is_not_found(key, acme_project, key_id):
    assert api(acme_project, "project:admin").get(f"{KEYS}{key_id}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x" * 201}, 400),
        ({"name": 7}, 400),
        ({"name": "\0"}, 400),
        ([], 400),
        ({"name": None}, 201),
        ({}, 201),
    ],
    ids=repr,
)
def test_a_name_is_text_of_some_length(acme_project, body, status):
    answer = api(acme_project, "project:write").post(KEYS, body)
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["name"] == "Default"


class TestCommand:
    def run(self, *arguments):
        out = StringIO()
        call_command("create_dsn", *arguments, stdout=out)
        return out.getvalue().strip()

    def test_it_prints_the_dsn(self, acme_project):
        url = self.run("--org", "acme", "--project", "native-app", "--url", "http://10.0.0.1:8000/", "--label", "shell")
        key = ProjectKey.objects.get()
        assert url == f"http://{key.public}@10.0.0.1:8000/{acme_project.pk}"
        assert (key.label, key.project) == ("shell", acme_project)
        assert trail()[0][0] == "project_key.created"

    def test_it_prints_every_address_as_json(self, acme_project):
        told = json.loads(self.run("--org", "acme", "--project", "native-app", "--json"))
        key = ProjectKey.objects.get()
        assert told["key"] == key.public
        assert told["dsn"]["minidump"].endswith(f"/api/{acme_project.pk}/minidump/?sentry_key={key.public}")

    @pytest.mark.parametrize(("org", "project"), [("acme", "nothing"), ("nobody", "native-app")])
    def test_it_says_what_does_not_exist(self, acme_project, org, project):
        with pytest.raises(CommandError, match="There is no"):
            self.run("--org", org, "--project", project)
