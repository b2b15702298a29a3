"""What is read of a JSON report when it comes in."""

from __future__ import annotations

import base64
import json
import tracemalloc
from datetime import UTC, datetime
from uuid import UUID

import pytest

from crashes.answers import Refusal
from crashes.loose_json import BadJson, read_json
from crashes.submission.json_report import JsonFacts, read_fingerprint, read_report, read_time, read_uuid

UUID_TEXT = "0f9d2a4e-5b3c-4c1d-9e8f-7a6b5c4d3e2f"
MOMENT = datetime(2026, 11, 21, 7, 6, 40, tzinfo=UTC)
SECONDS = int(MOMENT.timestamp())


@pytest.fixture
def facts(tmp_path):
    def read(content: bytes | dict) -> JsonFacts:
        path = tmp_path / "report"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return read_report(path)

    return read


def test_ids_time_attributes_and_classifiers_are_read(facts):
    found = facts(
        {
            "uuid": UUID_TEXT,
            "timestamp": SECONDS,
            "attributes": {"application": "demo", "n": 1, "nested": {"a": [1]}},
            "classifiers": ["Boom", 3, "Bang"],
            "fingerprint": "ab" * 32,
            "threads": {"main": {"stack": []}},
        }
    )
    assert found == JsonFacts(
        UUID(UUID_TEXT), MOMENT, {"application": "demo", "n": 1, "nested": {"a": [1]}}, ("Boom", "Bang"), "ab" * 32
    )


@pytest.mark.parametrize(
    "inner",
    [{"attributes": {"a": "1"}, "uuid": UUID_TEXT}, {"attributes": {"a": "1"}, "uuid": UUID_TEXT, "x": "\ud800"}],
    ids=["plain", "odd"],
)
def test_a_report_below_body_counts_as_the_report(facts, inner):
    assert facts({"body": inner}) == JsonFacts(UUID(UUID_TEXT), attributes={"a": "1"})


def test_a_report_of_its_own_may_have_a_field_called_body(facts):
    assert facts({"body": {"uuid": UUID_TEXT}, "attributes": {"a": 1}}).attributes == {"a": 1}
    assert facts({"body": "text"}) == JsonFacts()


@pytest.mark.parametrize(
    "content",
    [{}, {"attributes": None, "uuid": None, "timestamp": None, "classifiers": None, "fingerprint": None},
     {"attributes": [1], "uuid": 7, "timestamp": "soon", "classifiers": {"a": 1}, "fingerprint": ["x"]}],
    ids=["empty", "null", "other types"],
)  # fmt: skip
def test_fields_of_other_types_are_as_if_absent(facts, content):
    assert facts(content) == JsonFacts()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b"null", "no JSON object"),
        (b"{", "not valid JSON"),
        (b'{"a":1}x', "not valid JSON"),
        (b'{"a":\x00}', "not valid JSON"),
        (b"\x00", "not valid JSON"),
        (b"MDMP\x93\xa7\x00\x00", "not valid JSON"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"attributes":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"x":"\\ud800","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"uuid":' + b"9" * 10_000 + b',"a":NaN}', "not valid JSON"),
    ],
    ids=["list", "text", "null", "broken", "rest", "NUL", "only NUL", "dump", "objects", "lists", "odd", "digits"],
)
def test_what_is_no_report(facts, content, message):
    with pytest.raises(Refusal) as caught:
        facts(content)
    assert (caught.value.status, message in caught.value.message) == (400, True), caught.value.message


@pytest.mark.parametrize(
    ("content", "attributes"),
    [
        (b'{"attributes":{"a":"\\ud800"}}', {"a": "\ud800"}),
        (b'{"attributes":{"a":"\\u0000"}}', {"a": "\x00"}),
        (b'{"attributes":{"a":NaN,"b":-Infinity,"c":1e999}}', {"a": None, "b": None, "c": None}),
        (b'\xef\xbb\xbf{"attributes":{"a":"b"}}', {"a": "b"}),
        (b'{"attributes":{"a":"\xff"}}', {"a": "\ufffd"}),
        (b'{"x":"\xff","attributes":{"a":"b"}}', {"a": "b"}),
        (b'{"attributes":{"a":1},"attributes":{"b":2}}', {"b": 2}),
    ],
    ids=["surrogate", "NUL", "no numbers", "byte order mark", "latin-1", "latin-1 elsewhere", "twice"],
)
def test_reports_of_careless_clients_are_read(facts, content, attributes):
    assert facts(content).attributes == attributes


def test_what_is_not_looked_into_takes_no_memory(facts, tmp_path):
    content = b'{"annotations":{"a":[' + b"[]," * 3_000_000 + b'[]]},"uuid":"' + UUID_TEXT.encode() + b'"}'
    tracemalloc.start()
    assert facts(content).uuid == UUID(UUID_TEXT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(content)


def test_more_attributes_than_are_read(facts):
    with pytest.raises(Refusal) as caught:
        facts({"attributes": {"a": "x" * (4 << 20)}})
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (SECONDS, MOMENT),
        (SECONDS * 1000, MOMENT),
        (str(SECONDS), MOMENT),
        (SECONDS + 0.5, MOMENT.replace(microsecond=500_000)),
        (f"{SECONDS}.", MOMENT),
        *((value, None) for value in (0, -5, True, None, "", "x", [], 1e300, 10**400, "9" * 400, "nan", "inf")),
    ],
    ids=lambda value: str(value)[:20],
)
def test_times(value, moment):
    assert read_time(value) == moment


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (UUID_TEXT, UUID(UUID_TEXT)),
        (UUID_TEXT.replace("-", "").upper(), UUID(UUID_TEXT)),
        (f" {{{UUID_TEXT}}} ", UUID(UUID_TEXT)),
        *((value, None) for value in ("", "x", "\x00" * 32, UUID_TEXT[:-1], 7, None, "１" * 32 + "x")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_uuids(value, found):
    assert read_uuid(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("AB" * 32, "ab" * 32),
        ("0x" + "ab" * 32, "ab" * 32),
        (base64.b64encode(bytes(range(32))).decode(), bytes(range(32)).hex()),
        (base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("="), "ff" * 32),
        *((value, "") for value in ("", "abc", "ab" * 31, base64.b64encode(b"x" * 31).decode(), "é" * 64, 7, None)),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_fingerprints(value, found):
    assert read_fingerprint(value) == found


def test_odd_documents_are_read_up_to_a_size_only():
    assert read_json(b'["\\ud800", NaN]') == ["\ud800", None]
    with pytest.raises(BadJson):
        read_json(b'["\\ud800"' + b" " * (8 << 20) + b"]")
