"""What is taken from an event when it comes in."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crashes.sentry.answers import BadReport
from crashes.sentry.events import read_event

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "event_id", "timestamp", "release", "level", "message", "logentry", "fingerprint", "tags", "contexts", "user",
    "sdk", "exception",
]  # fmt: skip


def facts(**fields):
    return read_event(json.dumps(fields).encode())


@settings(max_examples=40)
@given(told=st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_an_event_whose_fields_are_of_any_type_is_read(told):
    found = read_event(json.dumps(told).encode())
    assert all(isinstance(name, str) for name in found.attributes)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_790_000_000, datetime.fromtimestamp(1_790_000_000, UTC)),
        (1_790_000_000.25, datetime.fromtimestamp(1_790_000_000.25, UTC)),
        ("1790000000.25", datetime.fromtimestamp(1_790_000_000.25, UTC)),
        ("2026-11-21T17:30:15.748377Z", datetime(2026, 11, 21, 17, 30, 15, 748377, UTC)),
        ("2026-11-21T17:30:15.748377123Z", datetime(2026, 11, 21, 17, 30, 15, 748377, UTC)),
        ("2026-11-21T17:30:15", datetime(2026, 11, 21, 17, 30, 15, tzinfo=UTC)),
        ("2026-11-21 19:30:15+02:00", datetime(2026, 11, 21, 19, 30, 15, tzinfo=timezone(timedelta(hours=2)))),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
        ("", None),
        (-1, None),
        (1e300, None),
        (True, None),
        ([], None),
        (None, None),
    ],
    ids=repr,
)
def test_the_time_is_read_in_every_form_that_clients_use(value, moment):
    assert facts(timestamp=value).occurred_at == moment


@pytest.mark.parametrize(
    "tags",
    [{"a": "1", "b": True}, [["a", "1"], ["b", True]], [["a", "1"], None, ["odd"], ["b", True], 7]],
    ids=["an object", "pairs", "pairs and rubbish"],
)
def test_tags_come_as_objects_and_as_pairs(tags):
    assert facts(tags=tags).attributes == {"a": "1", "b": True}


def test_the_events_own_fields_come_before_tags_and_tags_before_contexts():
    found = facts(
        release="mine",
        tags={"release": "tagged", "os.name": "tagged"},
        contexts={"os": {"name": "Linux", "build": "7"}},
    )
    assert found.attributes == {"release": "mine", "os.name": "tagged", "os.build": "7"}


@pytest.mark.parametrize(
    "told",
    [
        {"message": "plain"},
        {"message": {"formatted": "plain", "message": "%s"}},
        {"logentry": {"message": "plain", "params": []}, "message": "other"},
        {"logentry": {}, "message": "plain"},
    ],
    ids=["text", "object", "logentry", "empty logentry"],
)
def test_the_message_stands_in_several_places(told):
    assert facts(**told).attributes == {"message": "plain"}


@pytest.mark.parametrize("wrap", [lambda values: {"values": values}, lambda values: values], ids=["object", "list"])
def test_exceptions_are_named_the_last_one_being_what_was_thrown(wrap):
    values = [{"type": "A", "value": "a"}, None, {"type": "B", "value": "b", "stacktrace": {"frames": [1] * 9}}]
    found = facts(exception=wrap(values))
    assert found.classifiers == ("A", "B")
    assert (found.attributes["error.type"], found.attributes["error.message"]) == ("B", "b")


class TestFingerprint:
    def digest(self, *texts):
        return hashlib.sha256(json.dumps(["sentry", *texts], separators=(",", ":")).encode()).hexdigest()

    @pytest.mark.parametrize(
        "value", [None, [], ["{{ default }}"], ["{{default}}", " {{ default }} "], {}, 7, [[], None]], ids=repr
    )
    def test_none_of_the_clients_own(self, value):
        found = facts(fingerprint=value)
        assert (found.client_fingerprint, found.fingerprint) == ("", ())

    @pytest.mark.parametrize(
        ("value", "texts"), [(["a", "b"], ("a", "b")), ("a", ("a",)), ([7, "b"], ("7", "b"))], ids=repr
    )
    def test_what_the_client_chose_is_digested(self, value, texts):
        assert facts(fingerprint=value).client_fingerprint == self.digest(*texts)

    def test_parts_do_not_run_into_each_other(self):
        assert facts(fingerprint=["ab", "c"]).client_fingerprint != facts(fingerprint=["a", "bc"]).client_fingerprint

    def test_with_the_default_among_them_the_texts_are_kept_for_grouping(self):
        found = facts(fingerprint=["{{ default }}", "db", "{{ transaction }}"], transaction="/cart")
        assert (found.client_fingerprint, found.fingerprint) == ("", ("{{ default }}", "db", "/cart"))

    def test_variables_stand_for_what_the_event_says(self):
        told = {"level": "fatal", "tags": {"color": "red"}, "exception": {"values": [{"type": "E", "value": "v"}]}}
        texts = ["{{ level }}/{{tags.color}}", "{{ error.type }}", "{{ type }}", "{{ error.value }}", "{{ unknown }}"]
        found = facts(fingerprint=texts, **told)
        assert found.client_fingerprint == self.digest("fatal/red", "E", "E", "v", "{{ unknown }}")

    def test_variables_in_great_number_make_no_great_text(self):
        tracemalloc.start()
        try:
            found = facts(fingerprint=["{{ default }}", *["{{transaction}}" * 300] * 49], transaction="y" * 200_000)
            assert tracemalloc.get_traced_memory()[1] < 4 << 20
        finally:
            tracemalloc.stop()
        assert max(map(len, found.fingerprint)) == 1000


def test_texts_that_cannot_be_stored_are_mended():
    data = (
        b'{"event_id": "' + b"ab" * 16 + b'", "fingerprint": ["\\u0000", "\\ud800", "{{ default }}"], "x": NaN,'
        b' "exception": {"values": [{"type": "\\udfff\\u0000", "value": "\xff"}]},'
        b' "tags": {"a\\u0000": "\\ud83d\\ude00"}}'
    )
    found = read_event(data)
    assert found.uuid == UUID("ab" * 16)
    assert found.fingerprint == ("\ufffd", "\ufffd", "{{ default }}")
    assert found.classifiers == ("\ufffd\ufffd",)
    assert found.attributes["error.message"] == "\ufffd"
    assert found.attributes["a\ufffd"] == "\U0001f600"


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"7", b"null", b"{", b'{"a": }', b"\0", b"[" * 100_000], ids=lambda d: repr(d[:9])
)
def test_what_is_no_object_is_refused(data):
    with pytest.raises(BadReport, match="the event cannot be read"):
        read_event(data)


def test_what_is_not_needed_is_never_built():
    filler = b"[" + b"[]," * 300_000 + b"[]]"
    data = b'{"breadcrumbs": %b, "tags": %b, "release": "1", "threads": {"values": %b}}' % (filler, filler, filler)
    tracemalloc.start()
    try:
        found = read_event(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert found.attributes == {"release": "1"}
