"""The artifact-lookup protocol as a client speaks it."""

from __future__ import annotations

import io
import json

import pytest

from engine.decoding import BadSchema
from engine.errors import DeadlineExceeded, FailureKind, LookupFailure
from engine.javascript.artifacts import ListedBundle, ListedFile, Query
from engine.javascript.listings import Answers, parse_answer
from engine.javascript.sentry_artifacts import open_artifacts
from engine.outgoing import Deadline, Trust
from tests.engine.javascript.serving import KEY, LOOKUP
from tests.engine.webserver import hang, reply, web_server

ID = "85314830-023f-4cf1-a267-535f4e37bb17"
NEVER = Deadline.never()


def query(release="1.0", dist=None, stems=("/a",), debug_ids=()):
    return Query(release, dist, stems, debug_ids)


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (query(), "?release=1.0&url=%2Fa"),
        (query(dist="d 1"), "?release=1.0&url=%2Fa&dist=d+1"),
        (query(debug_ids=(ID, f"{ID}-1")), f"?release=1.0&url=%2Fa&debug_id={ID}&debug_id={ID}-1"),
        (query(release=None, debug_ids=(ID,)), f"?debug_id={ID}"),
        (query(release=None, dist="d", debug_ids=(ID,)), f"?dist=d&debug_id={ID}"),
        (query(release="", stems=("/é",)), "?release=&url=%2F%C3%A9"),
    ],
)
def test_questions_in_the_order_of_the_protocol(artifacts, asked, target):
    artifacts.provider(token=str(asked)).lookup(asked, NEVER)
    assert artifacts.server.paths == [LOOKUP + target]


@pytest.mark.parametrize("asked", [query(release=None), query(stems=()), query(release=None, stems=(), dist="d")])
def test_nothing_is_asked_when_nothing_is_known(artifacts, asked):
    assert artifacts.provider().lookup(asked, NEVER) == ()
    assert artifacts.server.paths == []


def test_parameters_of_the_source_stay_in_front(artifacts):
    artifacts.provider(url=artifacts.url + "?a=b").lookup(query(), NEVER)
    assert artifacts.server.paths == [LOOKUP + "?a=b&release=1.0&url=%2Fa"]


def test_a_question_that_is_too_long_is_not_asked(artifacts):
    assert artifacts.provider().lookup(query(release="x" * 65_535), NEVER) == ()
    assert artifacts.server.paths == []


@pytest.mark.parametrize(
    ("fields", "header", "value"),
    [
        ({"token": "t"}, "authorization", "Bearer t"),
        ({"token": None, "cookies": "a=b; c=d"}, "cookie", "a=b; c=d"),
        ({"token": None, "cookies": {"a": "b"}}, "cookie", "a=b"),
    ],
)
def test_credentials_and_coding(artifacts, fields, header, value):
    artifacts.provider(**fields).lookup(query(), NEVER)
    assert artifacts.server.asked[0].headers[header] == value
    assert artifacts.server.asked[0].headers["accept-encoding"] == "identity"


def test_an_empty_token_is_sent(artifacts):
    artifacts.provider(token="").lookup(query(), NEVER)
    assert artifacts.server.asked[0].headers["authorization"].strip() == "Bearer"


def test_credentials_stay_below_the_url_of_the_source(artifacts):
    """The download next to the endpoint gets none, the one below it does."""
    artifacts.server.default = reply(body=b"x")
    provider = artifacts.provider()
    for url in (artifacts.url + "?download=1", artifacts.server.url + "/elsewhere"):
        provider.fetch(ListedBundle("1", url, "url"), io.BytesIO(), NEVER)
    sent = ["authorization" in asked.headers for asked in artifacts.server.asked]
    assert sent == [True, False]


def test_credentials_do_not_go_to_a_host_whose_name_begins_alike(artifacts):
    with web_server() as other:
        other.default = reply(body=b"x")
        provider = artifacts.provider(url="http://127.0.0.1")
        provider.fetch(ListedBundle("1", other.url + "/x", "url"), io.BytesIO(), NEVER)
        assert "authorization" not in other.asked[0].headers


def test_answers_are_remembered_for_the_same_credentials(artifacts):
    artifacts.add_bundle("b/1", b"x")
    for token in ("one", "one", "two"):
        assert len(artifacts.provider(token=token).lookup(query(), NEVER)) == 1
    assert len(artifacts.questions) == 2


def test_failures_are_no_answers_and_are_tried_three_times(artifacts):
    artifacts.server.routes[LOOKUP] = reply("500 Oh")
    provider = artifacts.provider(token="tries")
    assert provider.lookup(query(), NEVER) == ()
    assert len(artifacts.server.paths) == 3
    provider.lookup(query(), NEVER)
    assert len(artifacts.server.paths) == 6


@pytest.mark.parametrize("status", ["403 No", "401 No", "404 None", "302 Found"])
def test_a_refusal_is_final(artifacts, status):
    artifacts.server.routes[LOOKUP] = reply(status)
    assert artifacts.provider(token=status).lookup(query(), NEVER) == ()
    assert len(artifacts.server.paths) == 1


def test_the_deadline_of_the_request_ends_a_lookup(artifacts):
    artifacts.server.routes[LOOKUP] = hang
    with pytest.raises(DeadlineExceeded):
        artifacts.provider(token="hang").lookup(query(), Deadline.after(0.2))


def test_a_good_answer():
    items = [
        {"type": "bundle", "id": "b/1", "url": "https://h/b", "resolved_with": "debug-id", "more": 1},
        {"type": "file", "id": "f/1", "url": "https://h/f", "abs_path": "~/a.js", "headers": {"SourceMap": "a.map"}},
    ]
    assert parse_answer(json.dumps(items).encode()) == (
        ListedBundle("b/1", "https://h/b", "debug-id"),
        ListedFile("f/1", "https://h/f", "~/a.js", {"sourcemap": "a.map"}, "unknown"),
    )


@pytest.mark.parametrize(
    "spoiled",
    [
        {"type": "bundle", "id": 1, "url": "https://h/b"},
        {"type": "bundle", "id": "1"},
        {"type": "bundle", "id": "1", "url": "/relative"},
        {"type": "bundle", "id": "1", "url": "ftp://h/x"},
        {"type": "bundle", "id": "1", "url": "http://h:port/x"},
        {"type": "bundle", "id": "1", "url": "https://h/b", "resolved_with": "magic"},
        {"type": "file", "id": "1", "url": "https://h/f"},
        {"type": "file", "id": "1", "url": "https://h/f", "abs_path": "~/a", "headers": {"a": 1}},
        {"type": "index", "id": "1", "url": "https://h/f"},
        {"id": "1", "url": "https://h/f"},
        None,
    ],
)
def test_one_bad_item_spoils_an_answer(spoiled):
    good = {"type": "bundle", "id": "b/1", "url": "https://h/b"}
    with pytest.raises(LookupFailure) as raised:
        parse_answer(json.dumps([good, spoiled]).encode())
    assert raised.value.kind is FailureKind.MALFORMED


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_list_is_no_answer(content):
    with pytest.raises(LookupFailure):
        parse_answer(content)


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (b"[]", "source"),
        (b"nul", "source"),
        (b"{}", "id"),
        (b'{"id":1,"url":"https://h","token":"SECRET"}', "id"),
        (b'{"id":"x","token":"SECRET"}', "url"),
        (b'{"id":"x","url":"https://h"}', "exactly one"),
        (b'{"id":"x","url":"https://h","token":"SECRET","cookies":"c"}', "exactly one"),
        (b'{"id":"x","url":"h/x","token":"SECRET"}', "url"),
        (b'{"id":"x","url":"ftp://h/x","token":"SECRET"}', "url"),
        (b'{"id":"x","url":"http://h:x/x","token":"SECRET"}', "url"),
        (b'{"id":"x","url":"https://h","token":"SECRET\\r\\nHost: x"}', "credentials"),
    ],
)
def test_a_source_that_is_none_names_the_field_and_no_value(source, where):
    with pytest.raises(BadSchema, match=where) as raised:
        open_artifacts(source, owner="acme", trust=Trust.NONE, digest_key=KEY)
    assert "SECRET" not in raised.value.message
    assert raised.value.message.startswith("$.source")


def test_cache_keys_differ_by_owner_and_credentials(artifacts):
    same = [artifacts.provider().cache_key for _ in range(2)]
    other = [artifacts.provider(owner="umbrella").cache_key, artifacts.provider(token="x").cache_key]
    assert same[0] == same[1]
    assert len({same[0], *other}) == 3
    assert other[1][:16] == same[0][:16] != other[0][:16]


def test_remembered_answers_take_bounded_memory():
    answers = Answers(most_bytes=10_000)
    for number in range(100):
        answers.put(("key", str(number)), (), 1000)
    assert answers.get(("key", "99")) == ()
    assert answers.get(("key", "0")) is None
    assert len(answers._kept) <= 4


def test_an_owner_s_answers_are_forgotten():
    answers = Answers()
    answers.put(("aa1", "q"), (), 1)
    answers.put(("bb1", "q"), (), 1)
    answers.forget_of(["aa"])
    assert (answers.get(("aa1", "q")), answers.get(("bb1", "q"))) == (None, ())
