"""Decoding requests: what is accepted, what is refused how, and that nothing raises anything else."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.native.wire import BadJson, BadSchema, decode_request

FRAME = {"instruction_addr": "0x1000"}


def decode(**fields):
    return decode_request(json.dumps(fields).encode())


def with_frame(**fields):
    return decode(stacktraces=[{"frames": [FRAME | fields]}]).stacktraces[0]


def with_module(**fields):
    return decode(modules=[{"type": "elf"} | fields])


def test_an_empty_object_is_a_request():
    request = decode()
    assert (request.stacktraces, request.modules, request.sources, request.signal) == ([], [], None, None)


def test_sources_stay_raw_and_tell_absent_from_none():
    assert decode(sources=None).sources is None
    assert bytes(decode(sources=[]).sources) == b"[]"
    assert json.loads(bytes(decode(sources=[{"id": "a"}]).sources)) == [{"id": "a"}]


@pytest.mark.parametrize("field", ["platform", "signal", "sources", "stacktraces", "modules", "options", "scraping"])
def test_null_counts_as_absent_at_the_top(field):
    assert decode(**{field: None}) == decode()


OPTIONAL_OF_FRAME = [
    "platform",
    "addr_mode",
    "adjust_instruction_addr",
    "function_id",
    "package",
    "lang",
    "symbol",
    "sym_addr",
    "function",
    "filename",
    "abs_path",
    "lineno",
    "pre_context",
    "context_line",
    "post_context",
    "source_link",
    "in_app",
    "vars",
    "trust",
]
OPTIONAL_OF_MODULE = ["code_id", "code_file", "debug_id", "debug_file", "debug_checksum", "image_addr", "image_size"]


@pytest.mark.parametrize("field", OPTIONAL_OF_FRAME)
def test_null_counts_as_absent_in_a_frame(field):
    assert with_frame(**{field: None}) == with_frame()


@pytest.mark.parametrize("field", OPTIONAL_OF_MODULE)
def test_null_counts_as_absent_in_a_module(field):
    assert with_module(**{field: None}) == with_module()


@pytest.mark.parametrize("field", ["thread_id", "thread_name", "is_requesting", "registers"])
def test_null_counts_as_absent_in_a_stack(field):
    assert decode(stacktraces=[{"frames": [], field: None}]) == decode(stacktraces=[{"frames": []}])


@pytest.mark.parametrize("field", ["dif_candidates", "apply_source_context", "frame_order", "extract_variables"])
def test_null_counts_as_absent_in_the_options(field):
    assert decode(options={field: None}) == decode(options={})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"stacktraces": [{}]}, "frames"),
        ({"stacktraces": [{"frames": None}]}, "$.stacktraces[0].frames"),
        ({"stacktraces": [{"frames": [{}]}]}, "instruction_addr"),
        ({"stacktraces": [{"frames": [{"instruction_addr": None}]}]}, "instruction_addr"),
        (
            {"stacktraces": [{"frames": [FRAME, {"instruction_addr": "12zz"}]}]},
            "$.stacktraces[0].frames[1].instruction_addr",
        ),
        ({"stacktraces": [{"frames": [{"instruction_addr": 2**64}]}]}, "$.stacktraces[0].frames[0].instruction_addr"),
        ({"stacktraces": [{"frames": [{"instruction_addr": 1.5}]}]}, "instruction_addr"),
        ({"stacktraces": [{"frames": [FRAME | {"sym_addr": "secret"}]}]}, "$.stacktraces[0].frames[0].sym_addr"),
        ({"stacktraces": [{"frames": [FRAME | {"function_id": ""}]}]}, "$.stacktraces[0].frames[0].function_id"),
        ({"stacktraces": [{"frames": [FRAME | {"addr_mode": "secret"}]}]}, "$.stacktraces[0].frames[0].addr_mode"),
        ({"stacktraces": [{"frames": [FRAME | {"addr_mode": "rel:-1"}]}]}, "addr_mode"),
        ({"stacktraces": [{"frames": [FRAME | {"addr_mode": "rel:x"}]}]}, "addr_mode"),
        ({"stacktraces": [{"frames": [FRAME | {"trust": "secret"}]}]}, "$.stacktraces[0].frames[0].trust"),
        ({"stacktraces": [{"frames": [FRAME | {"lineno": -1}]}]}, "lineno"),
        ({"stacktraces": [{"frames": [FRAME | {"lineno": 2**32}]}]}, "lineno"),
        ({"stacktraces": [{"frames": [], "thread_id": 2**64}]}, "$.stacktraces[0].thread_id"),
        ({"stacktraces": [{"frames": [], "thread_id": -1}]}, "thread_id"),
        ({"stacktraces": [{"frames": [], "registers": {"rip": "secret"}}]}, "$.stacktraces[0].registers"),
        ({"stacktraces": [{"frames": [], "registers": {"rip": None}}]}, "registers"),
        ({"stacktraces": {}}, "$.stacktraces"),
        ({"modules": [{}]}, "type"),
        ({"modules": [{"type": None}]}, "$.modules[0].type"),
        ({"modules": [{"type": "elf", "image_addr": "secret"}]}, "$.modules[0].image_addr"),
        ({"modules": [{"type": "elf", "image_size": "0x10"}]}, "image_size"),
        ({"modules": [{"type": "elf", "image_size": 2**64}]}, "$.modules[0].image_size"),
        ({"signal": -1}, "$.signal"),
        ({"signal": "11"}, "$.signal"),
        ({"options": {"frame_order": "secret"}}, "$.options.frame_order"),
        ({"options": {"dif_candidates": "yes"}}, "$.options.dif_candidates"),
        ({"scraping": {}}, "$.scraping"),
        ({"scraping": {"enabled": True, "allowed_origins": ["*"]}}, "headers"),
        ({"scraping": {"enabled": None, "allowed_origins": [], "headers": {}}}, "$.scraping.enabled"),
    ],
)
def test_json_that_is_no_request_names_the_field_and_not_the_value(fields, path):
    with pytest.raises(BadSchema) as caught:
        decode(**fields)
    assert path in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"'])
def test_other_json_is_no_request(body):
    with pytest.raises(BadSchema):
        decode_request(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"platform": "a"',
        b'{"platform": "\xff"}',
        b'{"platform": "\\ud800"}',
        b"{} x",
        b"{'a': 1}",
        b'{"signal": 01}',
        b'{"platform": NaN}',
        b"\xef\xbb\xbf{}",
        b'{"x":' + b"[" * 100_000,
        b'{"sources":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_json_is_told_apart(body):
    with pytest.raises(BadJson):
        decode_request(body)


@given(st.binary(max_size=200))
def test_no_body_raises_anything_else(body):
    with contextlib.suppress(BadJson, BadSchema):
        decode_request(body)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "stacktraces": st.one_of(
            json_values,
            st.lists(
                st.fixed_dictionaries(
                    {
                        "frames": st.lists(
                            st.fixed_dictionaries(
                                {"instruction_addr": json_values},
                                optional=dict.fromkeys(OPTIONAL_OF_FRAME, json_values),
                            ),
                            max_size=2,
                        )
                    }
                ),
                max_size=2,
            ),
        ),
        "modules": st.one_of(
            json_values,
            st.lists(
                st.fixed_dictionaries(
                    {"type": st.text(max_size=3)}, optional=dict.fromkeys(OPTIONAL_OF_MODULE, json_values)
                ),
                max_size=2,
            ),
        ),
        "signal": json_values,
    },
)


@given(objects)
def test_no_json_raises_anything_else(value):
    with contextlib.suppress(BadJson, BadSchema):
        decode_request(json.dumps(value).encode())


def test_unknown_fields_are_ignored_everywhere():
    unknown = {"unknown": [{"deep": None}]}
    frame = FRAME | unknown
    request = decode(
        stacktraces=[{"frames": [frame]} | unknown], modules=[{"type": "elf"} | unknown], options=unknown, **unknown
    )
    assert request.stacktraces == decode(stacktraces=[{"frames": [FRAME]}]).stacktraces


def test_addresses_are_read_in_every_form():
    stack = {"frames": [{"instruction_addr": value} for value in ("0x10", "0X1F", "32", 33, -1)]}
    assert decode(stacktraces=[stack]).stacktraces[0].addresses == [0x10, 0x1F, 32, 33, 2**64 - 1]


def test_registers_are_brought_into_the_form_of_the_answer():
    stack = {"frames": [], "registers": {"rip": "0X00FF", "rsp": 16, "rax": "7", "rbx": -1}}
    expected = {"rip": "0xff", "rsp": "0x10", "rax": "0x7", "rbx": "0xffffffffffffffff"}
    assert decode(stacktraces=[stack]).stacktraces[0].registers == expected


def test_how_an_address_is_to_be_taken_is_noticed():
    assert with_frame().plain
    assert not with_frame(addr_mode="rel:0").plain
    assert not with_frame(adjust_instruction_addr=False).plain
    assert with_frame(addr_mode="rel:007").frames[0].module_index == 7
    assert with_frame(addr_mode="abs").frames[0].module_index is None


def test_scraping_needs_its_three_fields_and_no_more():
    given_value = {"enabled": False, "allowed_origins": ["https://a"], "headers": {"a": "b"}}
    assert decode(scraping=given_value).scraping.allowed_origins == ["https://a"]
