"""What bodies say, and which are refused as what."""

from __future__ import annotations

import json

import pytest

from engine.decoding import BadJson, BadSchema
from engine.jvm.wire import decode_jvm_request

FRAME = {"function": "a", "module": "b", "index": 0}


def body(**fields: object) -> bytes:
    return json.dumps({"sources": [], **fields}).encode()


def test_null_and_absent_are_the_same() -> None:
    absent = decode_jvm_request(body(), stored=False)
    null = decode_jvm_request(
        body(
            platform=None,
            exceptions=None,
            stacktraces=None,
            modules=None,
            release_package=None,
            classes=None,
            options=None,
        ),
        stored=False,
    )
    assert absent == null
    assert (absent.with_context, absent.caller_first) == (True, True)


def test_sources_are_needed_unless_they_are_stored() -> None:
    with pytest.raises(BadSchema, match="sources"):
        decode_jvm_request(b"{}", stored=False)
    assert decode_jvm_request(b"{}", stored=True).sources is None


@pytest.mark.parametrize(
    "fields",
    [
        {"stacktraces": [{}]},
        {"stacktraces": [{"frames": [{"function": "a", "module": "b"}]}]},
        {"stacktraces": [{"frames": [{**FRAME, "index": -1}]}]},
        {"stacktraces": [{"frames": [{**FRAME, "index": 2**64}]}]},
        {"stacktraces": [{"frames": [{**FRAME, "lineno": 2**32}]}]},
        {"stacktraces": [{"frames": [{**FRAME, "lineno": "1"}]}]},
        {"modules": [{"uuid": "no", "type": "proguard"}]},
        {"modules": [{"uuid": "8236f5fa-3a51-4f0d-a4c3-7e4cb1e2f6b1", "type": "elf"}]},
        {"exceptions": [{"type": "a"}]},
        {"classes": [1]},
        {"options": {"frame_order": "sideways"}},
    ],
)
def test_what_does_not_fit_is_no_request(fields: dict) -> None:
    with pytest.raises(BadSchema):
        decode_jvm_request(body(**fields), stored=False)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"a":' * 100_000])
def test_what_is_not_json_is_said_to_be_so(text: bytes) -> None:
    with pytest.raises(BadJson):
        decode_jvm_request(text, stored=False)


def test_errors_never_quote_what_was_sent() -> None:
    with pytest.raises(BadSchema) as refused:
        decode_jvm_request(body(options={"frame_order": "hunter2"}), stored=False)
    assert "hunter2" not in refused.value.message
    assert "frame_order" in refused.value.message


def test_what_only_answers_say_is_not_taken_from_requests() -> None:
    frame = {**FRAME, "method_synthesized": True, "diagnosis": {"verdict": "x"}, "pre_context": []}
    request = decode_jvm_request(body(stacktraces=[{"frames": [frame]}]), stored=False)
    (made,) = request.stacktraces[0].frames
    assert (made.method_synthesized, made.diagnosis, made.pre_context) == (False, None, None)


def test_unknown_fields_are_ignored() -> None:
    decode_jvm_request(body(newer={"a": [1]}, stacktraces=[{"frames": [{**FRAME, "newer": 1}]}]), stored=False)
