"""Whose reports are taken: by a key of the very project, in every place where clients put it; and nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crashes.models import Crash, ProjectKey
from crashes.sentry import admission
from crashes.sentry.keys import change_key, delete_key, open_key
from projects.access import SYSTEM
from tests.cast import make_project, make_token
from tests.core.multipart import encoded
from tests.crashes.sentry.sending import DUMP, Sender, envelope, item, refusal, sender_of

FORM = "multipart/form-data; boundary=b0undary"
BODIES = {
    "envelope/": (envelope(item(b"{}", "event")), "text/plain"),
    "store/": (b"{}", "application/json"),
    "minidump/": (encoded([("upload_file_minidump", DUMP)]), FORM),
}
each_place = pytest.mark.parametrize("place", sorted(BODIES))
SAID = "the key does not open this project"


@each_place
@pytest.mark.parametrize(
    "headers",
    [
        {"x-sentry-auth": "Sentry sentry_key={key}, sentry_version=7, sentry_client=sentry.python/2.75.0"},
        {"x-sentry-auth": "Sentry sentry_version=7,sentry_client=raven/1,sentry_timestamp=1,sentry_key={key}"},
        {"x-sentry-auth": "sentry   sentry_secret=x,\tsentry_key={key}"},
        {"authorization": "Sentry sentry_key={key}, sentry_version=7"},
        {"x-sentry-auth": "", "authorization": "Sentry sentry_key={key}"},
    ],
    ids=["python", "no spaces", "lower case", "authorization", "the first is empty"],
)
def test_the_key_is_found_in_either_header(sender, place, headers):
    told = {name: value.format(key=sender.key.public) for name, value in headers.items()}
    assert sender.bare(place, *BODIES[place], **told).status_code == 200
    assert Crash.objects.get().project == sender.key.project


@each_place
def test_the_key_is_found_in_the_query_with_and_without_a_slash(sender, place):
    assert sender.post(place, *BODIES[place]).status_code == 200
    assert sender.post(place.rstrip("/"), *BODIES[place]).status_code == 200
    assert Crash.objects.count() == 2


def test_the_key_is_found_in_the_envelopes_own_first_line(sender):
    dsn = f"https://{sender.key.public}@errors.example.com/base/{sender.key.project_id}"
    answer = sender.bare("envelope/", envelope(item(b"{}", "event"), dsn=dsn))
    assert answer.status_code == 200
    assert Crash.objects.get().project == sender.key.project


@pytest.mark.parametrize(
    ("dsn", "status"),
    [
        ("https://{key}@host/999999", 403),
        ("https://{key}@host/", 403),
        ("https://ffffffffffffffffffffffffffffffff@host/{id}", 403),
        ("https://host/{id}", 401),
        ("https://[{key}@host/{id}", 401),
        ("x" * 3000, 401),
        ("", 401),
        (7, 401),
        (None, 401),
    ],
    ids=["another project", "no project", "another key", "no key", "no address", "long", "empty", "a number", "null"],
)
def test_a_dsn_that_opens_nothing_is_refused(sender, dsn, status):
    told = dsn.format(key=sender.key.public, id=sender.key.project_id) if isinstance(dsn, str) else dsn
    assert refusal(sender.bare("envelope/", envelope(item(b"{}", "event"), dsn=told)))[0] == status
    assert not Crash.objects.exists()


@each_place
@pytest.mark.parametrize(
    "headers",
    [{}, {"x-sentry-auth": "Sentry sentry_version=7"}, {"authorization": "Bearer {token}"}, {"x-sentry-auth": "{key}"}],
    ids=["nothing", "no key", "a token", "no scheme"],
)
def test_without_a_key_it_is_401(sender, place, headers):
    token = make_token(sender.key.project.organization, sender.key.project)
    told = {name: value.format(key=sender.key.public, token=token) for name, value in headers.items()}
    assert refusal(sender.bare(place, *BODIES[place], **told)) == (401, "missing authorization information")


@each_place
def test_nobody_learns_what_exists(sender, umbrella_project, acme, place):
    """A key of another project, one that is stopped, one that is deleted, one that never was: all the same."""
    other, neighbour = sender_of(umbrella_project), sender_of(make_project(acme, "other"))
    stopped, deleted = sender_of(sender.key.project), sender_of(sender.key.project)
    change_key(key=stopped.key, actor=SYSTEM, is_active=False)
    delete_key(key=deleted.key, actor=SYSTEM)
    texts = [one.key.public for one in (other, neighbour, stopped, deleted)]
    texts += ["0" * 32, sender.key.public.upper(), sender.key.public + "0", "", "\0", "%00", "'", "é" * 32]
    project_id = sender.key.project_id
    said = [
        refusal(sender.bare(place, *BODIES[place], **{"x-sentry-auth": f"Sentry sentry_key={text}"})) for text in texts
    ]
    nowhere = Sender(ProjectKey(project_id=10**17, public=sender.key.public))
    said.append(refusal(nowhere.post(place, *BODIES[place])))
    assert set(said) == {(403, SAID)}
    assert project_id != 10**17
    assert not Crash.objects.exists()


def test_a_key_is_judged_before_the_body_is_read(sender):
    other = Sender(ProjectKey(project_id=sender.key.project_id, public="0" * 32))
    assert other.post("envelope/", b"no envelope at all").status_code == 403
    assert sender.post("envelope/", b"no envelope at all").status_code == 400


def test_a_refusal_costs_one_query_and_a_wrong_form_none(sender, umbrella_project):
    other = sender_of(umbrella_project).key.public
    for text, queries in ((other, 1), ("short", 0)):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert open_key(text, sender.key.project_id) is None
        assert len(seen) == queries


def test_the_last_use_is_noted_once_a_minute(sender):
    def used():
        return ProjectKey.objects.get(pk=sender.key.pk).last_used_at

    assert used() is None
    sender.post("store/", b"{}")
    first = used()
    assert timezone.now() - first < timedelta(minutes=1)
    sender.post("store/", b"{}")
    assert used() == first
    ProjectKey.objects.update(last_used_at=first - timedelta(minutes=2))
    sender.post("store/", b"{}")
    assert used() >= first


@pytest.mark.parametrize("number", ["0", "00", "01", "-1", "1x", "9" * 30])
@each_place
def test_what_is_no_project_number_is_not_an_address_of_reports(sender, place, number):
    path = f"/api/{number}/{place}?sentry_key={sender.key.public}"
    assert Client(raise_request_exception=False).generic("POST", path, *BODIES[place]).status_code == 404


def test_the_text_of_a_refusal_never_repeats_what_was_sent(sender):
    answer = sender.bare("store/", b"{}", **{"x-sentry-auth": "Sentry sentry_key=<script>"})
    assert not re.search("script", answer.content.decode())


@each_place
@pytest.mark.parametrize("kind", [OperationalError, InterfaceError], ids=["refused", "lost"])
def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_try_again(sender, place, kind, monkeypatch):
    def broken(*_):
        raise kind("the connection to 10.1.1.1 is lost")

    monkeypatch.setattr(admission, "open_key", broken)
    answer = sender.post(place, *BODIES[place])
    status, reason = refusal(answer)
    assert (status, answer["Retry-After"]) == (503, "5")
    assert "10.1.1.1" not in reason
