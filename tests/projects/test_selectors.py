"""Opening a project by a token: one query, and the time of last use at most once a minute."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from projects.models import ApiToken
from projects.selectors import OpenedProject, TokenProblem, find_token, open_by_token, open_token, touch, touch_token
from tests.cast import Api, make_organization, make_project, make_token


def test_one_query_opens_the_project(acme_project, django_assert_num_queries):
    text = make_token(acme_project.organization, scopes=["symbolicate:post"])
    for organization in ("acme", str(acme_project.organization_id)):
        for project in ("native-app", str(acme_project.id)):
            with django_assert_num_queries(1):
                opened = open_by_token(text, organization, project)
                assert isinstance(opened, OpenedProject)
                assert opened.project.organization.slug == "acme"
            assert (opened.project, opened.token.scopes) == (acme_project, frozenset({"symbolicate:post"}))
            assert opened.project.builtin_sources == []


def test_a_token_request_of_a_project_makes_no_second_query_for_access(acme, django_assert_num_queries):
    text = make_token(acme)
    Api(text).get("/api/0/")
    with django_assert_num_queries(1):
        Api(text).get("/api/0/organizations/acme/")


@pytest.mark.parametrize(
    ("organization", "project", "problem"),
    [
        ("acme", "nothing", TokenProblem.NO_PROJECT),
        ("acme", "0", TokenProblem.NO_PROJECT),
        ("acme", "9" * 30, TokenProblem.NO_PROJECT),
        ("acme", "a\0b", TokenProblem.NO_PROJECT),
        ("acme", "theirs", TokenProblem.NO_PROJECT),
        ("umbrella", "theirs", TokenProblem.OTHER_ORGANIZATION),
        ("nobody", "native-app", TokenProblem.OTHER_ORGANIZATION),
        ("a\0", "native-app", TokenProblem.OTHER_ORGANIZATION),
    ],
)
def test_what_the_token_may_not_touch_is_not_opened(organization, project, problem, acme_project, umbrella):
    make_project(umbrella, "theirs")
    assert open_by_token(make_token(acme_project.organization), organization, project) is problem


def test_a_bound_token_opens_its_project_alone(acme, acme_project):
    other = make_project(acme, "other")
    text = make_token(acme, acme_project)
    assert open_by_token(text, "acme", "native-app").project == acme_project
    assert open_by_token(text, "acme", "other") is TokenProblem.NO_PROJECT
    assert open_by_token(text, "acme", str(other.id)) is TokenProblem.NO_PROJECT
    assert open_token(text).project == acme_project
    assert open_token(make_token(acme)).project is None


def test_unusable_tokens_are_not_found(acme):
    past = datetime.now(UTC) - timedelta(days=1)
    expired, revoked = make_token(acme), make_token(acme)
    ApiToken.objects.filter(prefix=expired[:8]).update(expires_at=past)
    ApiToken.objects.filter(prefix=revoked[:8]).update(revoked_at=past)
    assert (open_token(expired), open_token(revoked)) == (TokenProblem.EXPIRED, TokenProblem.UNKNOWN)
    assert (find_token(expired), find_token(revoked), find_token("0" * 64)) == (None, None, None)


@pytest.mark.parametrize("text", ["", "x", "0" * 63, "0" * 65, "A" * 64, "0" * 63 + "\n", "\0" * 64])
def test_what_is_no_token_is_refused_without_a_query(text, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert open_token(text) is TokenProblem.UNKNOWN


def test_no_text_of_a_token_is_in_what_is_opened(acme_project):
    text = make_token(acme_project.organization)
    assert text not in repr(open_by_token(text, "acme", "native-app"))


def test_the_query_needs_no_scan_of_a_table(acme_project):
    text = make_token(acme_project.organization)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        open_by_token(text, "acme", "native-app")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {captured.captured_queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan
    assert "digest" in plan


def test_the_last_use_is_written_once_a_minute(acme):
    text = make_token(acme)
    api = Api(text)

    def last_used() -> datetime:
        return ApiToken.objects.get().last_used_at

    assert last_used() is None
    api.get("/api/0/")
    first = last_used()
    assert abs(datetime.now(UTC) - first) < timedelta(seconds=10)
    api.get("/api/0/")
    assert last_used() == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    api.get("/api/0/")
    assert last_used() > first - timedelta(seconds=1)


def test_a_fresh_token_costs_no_write(acme, django_assert_num_queries):
    text = make_token(acme)
    touch(find_token(text))
    with django_assert_num_queries(1):
        touch(find_token(text))


def test_a_refused_token_is_not_used(acme):
    text = make_token(acme)
    ApiToken.objects.update(revoked_at=datetime.now(UTC))
    Api(text).get("/api/0/")
    assert ApiToken.objects.get().last_used_at is None


def _in_threads(work, count: int) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_write_the_last_use_once():
    make_token(make_organization("acme"))
    token = ApiToken.objects.get()
    written: list[bool] = []
    _in_threads(lambda: written.append(touch_token(token.id)), 6)
    assert sorted(written) == [False] * 5 + [True]


@pytest.mark.django_db(transaction=True)
def test_noting_the_use_never_waits_for_whoever_holds_the_token():
    make_token(make_organization("acme"))
    token = ApiToken.objects.get()
    with transaction.atomic():
        ApiToken.objects.select_for_update().get(id=token.id)
        _in_threads(lambda: touch_token(token.id), 1)
    token.refresh_from_db()
    assert token.last_used_at is None
