"""Forms whose bodies are streamed: forged ones are refused by what stands in their address."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.http import HttpResponse
from django.test import RequestFactory

from core.pages import posting, posting_address, streamed

pytestmark = pytest.mark.django_db
HERE = "/here/"


class _Unread:
    """A body that nobody may touch."""

    def read(self, *_arguments):
        raise AssertionError("the body was read")


@streamed
def view(request):
    return HttpResponse(request.method)


@pytest.fixture
def session():
    store = SessionStore()
    store.create()
    return store


def request_for(method, address, session):
    made = getattr(RequestFactory(), method)(address)
    made.session = session
    made.user = None
    made._stream = _Unread()
    return made


def address_for(session, address=HERE):
    return posting_address(request_for("get", address, session), address)


def test_the_form_of_a_page_comes_through(session):
    assert view(request_for("post", address_for(session), session)).content == b"POST"


def test_looking_needs_no_token(session):
    assert view(request_for("get", HERE, session)).content == b"GET"


def test_a_token_of_another_session_is_refused(session):
    other = SessionStore()
    other.create()
    assert view(request_for("post", address_for(other), session)).status_code == 403


def test_a_token_of_another_address_is_refused(session):
    query = address_for(session, "/there/").partition("?")[2]
    assert view(request_for("post", f"{HERE}?{query}", session)).status_code == 403


@pytest.mark.parametrize(
    "query", ["", "?ticket=", "?ticket=abc", "?ticket=a:b:c"], ids=["none", "empty", "word", "parts"]
)
def test_what_was_not_signed_is_refused_and_told_what_to_do(session, query):
    answer = view(request_for("post", HERE + query, session))
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()


def test_a_token_that_says_something_else_is_refused(session):
    forged = signing.dumps({"a": 1}, salt="core.pages.posting")
    assert view(request_for("post", f"{HERE}?ticket={forged}", session)).status_code == 403


def test_a_token_ends_after_some_hours(session, monkeypatch):
    address = address_for(session)
    monkeypatch.setattr(posting, "_SECONDS", -1)
    assert view(request_for("post", address, session)).status_code == 403


def test_the_token_tells_neither_session_nor_address(session):
    token = address_for(session).partition("=")[2]
    assert session.session_key not in token
    assert session.session_key not in signing.loads(token, salt="core.pages.posting")
