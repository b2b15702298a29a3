"""The page of a project's clients."""

from __future__ import annotations

import pytest
from django.test import Client

from crashes.models import ProjectKey
from tests.crashes.pages.made import HOSTILE

pytestmark = pytest.mark.django_db

CLIENTS = "/organizations/acme/native-app/clients/"


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def key(admin, acme_project) -> ProjectKey:
    assert signed_in(admin).post(CLIENTS, {"label": "web"}).status_code == 303
    return ProjectKey.objects.get(project=acme_project)


def actions(key: ProjectKey) -> list[str]:
    return [f"{CLIENTS}{key.public}/", f"{CLIENTS}{key.public}/delete/"]


def test_a_new_dsn_is_shown_with_the_lines_that_use_it(admin, key):
    html = signed_in(admin).get(CLIENTS).content.decode()
    dsn = f"http://{key.public}@testserver/{key.project_id}"
    assert f"sentry_sdk.init(&quot;{dsn}&quot;)" in html
    assert "lets in" in html


def test_without_a_dsn_the_page_says_what_one_is_for(member, acme_project):
    html = signed_in(member).get(CLIENTS).content.decode()
    assert "There is no DSN yet" in html
    assert "Ask an admin" in html
    assert "/minidump" in html


def test_a_key_is_stopped_let_in_again_and_deleted(admin, key):
    client = signed_in(admin)
    change, delete = actions(key)
    states = []
    for active in ("0", "1"):
        assert client.post(change, {"active": active}).status_code == 303
        key.refresh_from_db()
        states.append(key.is_active)
    assert states == [False, True]
    assert client.post(delete).status_code == 303
    assert not ProjectKey.objects.filter(pk=key.pk).exists()


def test_members_see_keys_and_change_none(member, key):
    client = signed_in(member)
    assert client.get(CLIENTS).status_code == 200
    answers = [client.post(path) for path in (CLIENTS, *actions(key))]
    assert [answer.status_code for answer in answers] == [403] * 3
    key.refresh_from_db()
    assert key.is_active


def test_strangers_and_the_signed_out_learn_nothing(stranger, key):
    for path in (CLIENTS, *actions(key)):
        assert signed_in(stranger).post(path).status_code == 404
        assert Client().post(path).headers["Location"].startswith("/login/")
    assert key.public not in signed_in(stranger).get(CLIENTS).content.decode()


def test_nothing_is_changed_by_a_get_or_without_the_token_against_forgery(admin, key):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    for path in actions(key):
        assert client.get(path).status_code == 405
        assert client.post(path).status_code == 403
    key.refresh_from_db()
    assert key.is_active


@pytest.mark.parametrize("reference", ["0", "f" * 32, "x" * 300])
def test_a_key_that_there_is_not_is_not_found(admin, acme_project, reference):
    assert signed_in(admin).post(f"{CLIENTS}{reference}/").status_code == 404


def test_a_hostile_name_stays_text(admin, acme_project):
    client = signed_in(admin)
    assert client.post(CLIENTS, {"label": HOSTILE}).status_code == 303
    assert "<script>alert" not in client.get(CLIENTS).content.decode()
