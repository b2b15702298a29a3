"""The Authorization header, and what the index says about the caller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import AuthenticationFailed

from projects.authentication import read_bearer
from tests.cast import Api, make_token

INDEX = "/api/0/"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_be_in_any_case(scheme, acme):
    token = make_token(acme, scopes=["org:read"])
    answer = Api().get(INDEX, authorization=f"{scheme} {token}")
    assert answer.json() == {"version": "0", "auth": {"scopes": ["org:read"]}, "user": None}


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Bearer", "Invalid token header. No credentials provided."),
        ("Bearer a b", "Invalid token header. Token string should not contain spaces."),
        ("Bearer \xe9", "Invalid token header. Token string should not contain invalid characters."),
        ("Bearer x", "Invalid token"),
    ],
)
def test_a_malformed_header_says_what_is_wrong(header, text, db):
    answer = Api().get(INDEX, authorization=header)
    assert (answer.status_code, answer.json()) == (401, {"detail": text})
    assert answer["WWW-Authenticate"] == 'xBasic realm="api"'


@pytest.mark.parametrize("header", ["Basic YWJjOg==", "Token abc", "", "Bearerx abc"])
def test_another_scheme_counts_as_none(header, db):
    assert Api().get("/api/0/organizations/", authorization=header).json() == {
        "detail": "Authentication credentials were not provided."
    }


def test_the_index_answers_a_member_and_a_nobody(member, db):
    assert Api().get(INDEX).json() == {"version": "0", "auth": None, "user": None}
    user = {"id": str(member.id), "email": "member@acme.example"}
    assert Api(user=member).get(INDEX).json() == {"version": "0", "auth": None, "user": user}


def test_a_bad_token_is_refused_even_beside_a_session(member):
    assert Api(token="0" * 64, user=member).get(INDEX).status_code == 401


def test_a_token_is_not_asked_for_a_csrf_token(acme):
    token = make_token(acme)
    assert Api(token).post("/api/0/organizations/acme/projects/", {"name": "Game"}).status_code == 201


@given(st.binary(max_size=80))
def test_any_header_is_read_or_refused(header):
    try:
        text = read_bearer(header)
    except AuthenticationFailed:
        assert header.split()[0].lower() == b"bearer"
    else:
        assert text is None or header.split()[1:] == [text.encode()]


@given(st.sampled_from([b"Bearer", b"bearer"]), st.from_regex(rb"[!-~]{1,80}", fullmatch=True))
def test_one_word_after_the_scheme_is_the_token(scheme, word):
    assert read_bearer(scheme + b"  " + word) == word.decode()
