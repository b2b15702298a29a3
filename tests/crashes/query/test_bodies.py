"""Bodies of queries that mean no good."""

from __future__ import annotations

import gzip

import pytest

from crashes.models import Crash
from tests.cast import Api, make_token
from tests.crashes.stored import make_crash

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(acme, acme_project):
    return make_token(acme, acme_project, scopes=["query:post"])


@pytest.mark.parametrize(
    "text", ["\x00", "\ud800", "a\x00b", "😀", "'; DROP TABLE crashes_crash; --", "%(p0)s %s", "$1"]
)
def test_no_text_breaks_a_query(token, acme_project, text):
    make_crash(acme_project, b"x")
    filters = [{text: [["equal", text]]}, {"a": [["not-contains", text], ["regular-expression", text]]}]

    answer = Api().post(f"/api/query?token={token}", {"filter": filters, "select": [text]})

    assert answer.status_code in (200, 400)
    assert Crash.objects.count() == 1


@pytest.mark.parametrize("coding", ["gzip", ""])
def test_a_body_is_bounded_before_and_after_it_is_unpacked(token, coding):
    body = b" " * (1 << 20) + b"{}"
    sent = gzip.compress(body) if coding else body

    answer = Api().request("POST", f"/api/query?token={token}", sent, **{"content-encoding": coding})

    assert answer.status_code == 413
    assert isinstance(answer.json()["error"]["code"], int)
