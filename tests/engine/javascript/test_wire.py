"""The body of a request: required fields, null, and what counts as absent."""

from __future__ import annotations

import json

import msgspec
import pytest

from engine.decoding import BadJson, BadSchema
from engine.javascript.wire import ScrapingRules, decode_js_request

FRAME = {"abs_path": "https://h/a.js", "lineno": 1}
MODULE = {"type": "sourcemap", "code_file": "https://h/a.js", "debug_id": "85314830-023f-4cf1-a267-535f4e37bb17"}
BODY = {"source": {"id": "x"}, "stacktraces": [{"frames": [FRAME]}]}


def decode(stored=False, **fields):
    body = {name: value for name, value in (BODY | fields).items() if value is not ...}
    return decode_js_request(json.dumps(body).encode(), stored=stored)


def test_the_documented_example_is_a_request():
    """A module of another type that has a debug id, and scraping without headers."""
    request = decode(
        modules=[MODULE | {"type": "debug_id", "debug_id": "some-debug-id"}, MODULE | {"type": "debug_id"}],
        scraping={"enabled": True, "allowed_origins": ["*.domain.com"]},
        stacktraces=[
            {"frames": [{"function": "x", "abs_path": "x", "lineno": 1, "colno": 1, "in_app": True, "vars": {}}]}
        ],
    )
    assert request.scraping == ScrapingRules(True, ("*.domain.com",), (), True)
    assert [str(module.debug_id) for module in request.modules] == ["None", MODULE["debug_id"]]


def test_what_is_absent_has_defaults():
    request = decode(stacktraces=...)
    assert request.stacktraces == []
    assert request.modules == ()
    assert request.scraping == ScrapingRules()
    assert request.apply_source_context
    assert not request.callee_first


@pytest.mark.parametrize(
    "field", ["stacktraces", "modules", "release", "dist", "scraping", "allow_scraping", "options", "platform"]
)
def test_null_counts_as_absent(field):
    assert decode(**{field: None}) == decode(**{field: ...})


@pytest.mark.parametrize("field", ["colno", "platform", "function", "filename", "module", "context_line", "data"])
def test_null_fields_of_a_frame_count_as_absent(field):
    request = decode(stacktraces=[{"frames": [FRAME | {field: None}]}])
    assert request.stacktraces == decode().stacktraces


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"source": ...}, "source"),
        ({"source": None}, "source"),
        ({"stacktraces": [{}]}, "frames"),
        ({"stacktraces": [{"frames": None}]}, "frames"),
        ({"stacktraces": [{"frames": [{"lineno": 1}]}]}, "abs_path"),
        ({"stacktraces": [{"frames": [{"abs_path": "x"}]}]}, "lineno"),
        ({"stacktraces": [{"frames": [FRAME | {"lineno": -1}]}]}, "lineno"),
        ({"stacktraces": [{"frames": [FRAME | {"lineno": None}]}]}, "lineno"),
        ({"stacktraces": [{"frames": [FRAME | {"lineno": 2**32}]}]}, "lineno"),
        ({"stacktraces": [{"frames": [FRAME | {"colno": -1}]}]}, "colno"),
        ({"stacktraces": [{"frames": [FRAME | {"abs_path": None}]}]}, "abs_path"),
        ({"modules": [{"code_file": "x", "debug_id": "x"}]}, "type"),
        ({"modules": [{"type": "sourcemap", "debug_id": "x"}]}, "code_file"),
        ({"modules": [{"type": "sourcemap", "code_file": "x"}]}, "debug_id"),
        ({"scraping": {"allowed_origins": []}}, "enabled"),
        ({"scraping": {"enabled": True}}, "allowed_origins"),
        ({"scraping": {"enabled": "SECRET", "allowed_origins": []}}, "enabled"),
        ({"options": {"frame_order": "SECRET"}}, "frame_order"),
    ],
)
def test_what_is_no_request_names_the_field_and_no_value(fields, where):
    with pytest.raises(BadSchema, match=where) as raised:
        decode(**fields)
    assert "SECRET" not in raised.value.message


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"release":"\xff"}', b'{"more":' + b"[" * 100_000])
def test_what_is_no_json(body):
    with pytest.raises(BadJson):
        decode_js_request(body, stored=False)


@pytest.mark.parametrize("origin", [b'"\xff"', b'{"a":"\xff"}', b"[" * 100_000])
def test_what_is_handed_through_is_json_as_well(origin):
    frame = b'{"abs_path":"x","lineno":1,"data":{"sourcemap_origin":' + origin + b"}}"
    with pytest.raises(BadJson):
        decode_js_request(b'{"source":{},"stacktraces":[{"frames":[' + frame + b"]}]}", stored=False)


def test_requests_to_a_project_must_not_name_a_source():
    with pytest.raises(BadSchema, match=r"\$\.source"):
        decode(stored=True)
    assert decode(stored=True, source=None).source is None


@pytest.mark.parametrize(
    ("legacy", "enabled", "expected"),
    [(None, True, True), (True, False, False), (False, True, False), (True, True, True)],
)
def test_scraping_has_two_switches(legacy, enabled, expected):
    scraping = {"enabled": enabled, "allowed_origins": ["*"], "headers": None, "verify_ssl": False}
    request = decode(allow_scraping=legacy, scraping=scraping)
    assert request.scraping.enabled is expected
    assert not request.scraping.verify_ssl


def test_headers_are_no_part_of_what_rules_show():
    rules = decode(scraping={"enabled": True, "allowed_origins": [], "headers": {"X-Token": "hush"}}).scraping
    assert rules.headers == (("X-Token", "hush"),)
    assert "hush" not in repr(rules)


def test_frames_keep_their_data_and_lose_what_answers_do_not_have():
    data = {"sourcemap": "m", "sourcemap_origin": {"scraped_file": "u#1"}, "resolved_with": "url"}
    given = FRAME | {"token_name": "x", "in_app": True, "pre_context": [], "diagnosis": {"x": 1}, "data": data}
    (frame,) = decode(stacktraces=[{"frames": [given]}]).stacktraces[0]
    assert json.loads(msgspec.json.encode(frame)) == FRAME | {"data": data | {"symbolicated": False}}
