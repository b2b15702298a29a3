"""The rules of bodies: what is refused, and with which words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import ApiError
from engine.sourcetypes.globs import BadGlob, compile_glob
from sources.types import TYPES
from sources.types.common import GLOB_PATTERN
from sources.validation import Submitted, read_source
from tests.sources.helpers import APPLE, BODIES, GCS, HIDDEN, HTTP, S3, without

CANARY = "canary-71aa"


def problem(body: object, *, may_keep: bool = False) -> str:
    with pytest.raises(ApiError) as caught:
        read_source(body, may_keep=may_keep)
    assert caught.value.status == 400
    return caught.value.message


@pytest.mark.parametrize("kind", BODIES)
def test_every_required_field_is_missed_by_name(kind):
    required = ["name", *(entry.name for entry in TYPES[kind].fields if entry.required)]
    for name in required:
        expected = f"{name}: this field is required"
        assert problem(without(BODIES[kind], name)) == expected
        assert problem({**BODIES[kind], name: None}) == expected


def test_the_required_fields_are_the_published_ones():
    required = {kind: {entry.name for entry in TYPES[kind].fields if entry.required} for kind in TYPES}
    assert required == {
        "http": {"url", "layout"},
        "s3": {"bucket", "region", "access_key", "secret_key", "layout"},
        "gcs": {"bucket", "client_email", "private_key", "layout"},
        "appStoreConnect": {"appconnectIssuer", "appconnectPrivateKey", "appId"},
    }


@pytest.mark.parametrize("kind", [CANARY, "HTTP", "filesystem", "sentry", "alias", "", 5, [], {}, True, ["http"]])
def test_an_unknown_type_is_refused_without_repeating_it(kind):
    assert problem({**HTTP, "type": kind}) == "type: must be one of appStoreConnect, http, gcs, s3"


@pytest.mark.parametrize("body", [without(HTTP, "type"), {**HTTP, "type": None}, {}])
def test_a_missing_type_is_refused(body):
    assert problem(body) == "type: this field is required"


@pytest.mark.parametrize(
    "name",
    [
        "headers",
        "accept_invalid_certs",
        "is_public",
        "has_index",
        "platforms",
        "bucket",
        "token",
        "path",
        "Url",
        "revision",
    ],
)
def test_fields_that_are_not_of_the_type_are_refused(name):
    assert problem({**HTTP, name: CANARY}) == f"{name}: unknown field"


def test_a_layout_is_not_for_app_store_connect():
    assert problem({**APPLE, "layout": {"type": "native"}}) == "layout: unknown field"


@pytest.mark.parametrize("name", ["aws_credentials_provider", "bearer_token", "url"])
def test_credentials_of_the_host_are_not_for_users(name):
    assert problem({**S3, name: "container"}) == f"{name}: unknown field"


@pytest.mark.parametrize("value", [5, 1.5, True, [], {}, ["x"]])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, body in BODIES.items()
        for name, value in body.items()
        if type(value) is str and name != "type"
    ],
)
def test_only_strings_pass_for_strings(kind, name, value):
    text = problem({**BODIES[kind], name: value})
    assert text.startswith(f"{name}: must be a") or name == "region"


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("layout", CANARY, "layout: must be an object"),
        ("layout", {}, "layout.type: this field is required"),
        ("layout", {"type": None}, "layout.type: this field is required"),
        ("layout", {"type": "native", "x": 1}, "layout.x: unknown field"),
        ("layout", {"type": "native", "casing": CANARY}, "layout.casing: must be one of default, uppercase, lowercase"),
        ("filters", [], "filters: must be an object"),
        ("filters", {"requires_checksum": 1}, "filters.requires_checksum: must be true or false"),
        ("filters", {"path_patterns": "x"}, "filters.path_patterns: must be an array"),
        ("filters", {"path_patterns": [5]}, "filters.path_patterns[0]: must be a string"),
        ("filters", {"path_patterns": ["x"] * 101}, "filters.path_patterns: must have at most 100 elements"),
        ("filters", {"filetypes": {}}, "filters.filetypes: must be an array"),
        ("filetypes", "pe", "filetypes: must be an array"),
        ("url", "", "url: must be an absolute http or https URL with an ASCII host name and no blanks"),
        ("id", "", "id: must not be blank or hold control characters"),
        ("id", "a\0b", "id: must not be blank or hold control characters"),
        ("id", "\ud800", "id: must be valid Unicode"),
        ("id", "x" * 256, "id: must have at most 255 characters"),
        ("name", "a\nb", "name: must not hold control characters"),
        ("name", "x" * 256, "name: must have at most 255 characters"),
        ("username", "a\x85b", "username: must not hold control characters"),
        ("password", "x" * 16385, "password: must have at most 16384 characters"),
        ("id", "sentry:x", 'Source ids must not start with "sentry:"'),
        ("id", "sentry:", 'Source ids must not start with "sentry:"'),
        ("id", "sentry", 'Source ids must not be "sentry"'),
    ],
)
def test_each_mistake_is_named_by_its_path(field, value, text):
    assert problem({**HTTP, field: value}) == text
    assert CANARY not in text


@pytest.mark.parametrize("value", ["dartsymbolmap", "PE", "", CANARY, 5, None])
def test_only_known_file_types_can_be_filtered(value):
    assert problem({**HTTP, "filters": {"filetypes": [value]}}).startswith(
        "filters.filetypes[0]: must be one of pe, pdb"
    )
    assert problem({**HTTP, "filetypes": [value]}).startswith("filetypes[0]: must be one of pe, pdb")


def test_newer_file_types_are_for_the_newer_field():
    assert read_source({**HTTP, "filters": {"filetypes": ["wasm_debug", "portablepdb"]}}, may_keep=False)
    assert problem({**HTTP, "filetypes": ["wasm_debug"]}).startswith("filetypes[0]: must be one of")


def test_filters_and_the_old_field_exclude_each_other():
    both = {**HTTP, "filters": {"filetypes": ["pe"]}, "filetypes": ["pe"]}
    assert problem(both) == "filetypes: must not be given together with filters; use filters.filetypes"
    assert read_source({**both, "filters": None}, may_keep=False).config["filetypes"] == ["pe"]
    assert "filetypes" not in read_source({**both, "filetypes": None}, may_keep=False).config


@pytest.mark.parametrize("source_id", ["sentrymirror", "sentry-1", "Sentry:x", "my sentry:", "ü/ñ?&=", "🦆"])
def test_ids_that_only_resemble_reserved_ones_are_fine(source_id):
    assert read_source({**HTTP, "id": source_id}, may_keep=False).source_id == source_id


@given(st.from_regex(GLOB_PATTERN, fullmatch=True) | st.text(alphabet="ab/*?[]!-", max_size=12))
def test_path_patterns_are_those_that_the_lookup_understands(pattern):
    try:
        compile_glob(pattern)
    except BadGlob:
        understood = False
    else:
        understood = True
    assert (re.fullmatch(GLOB_PATTERN, pattern) is not None) == understood


@pytest.mark.parametrize(
    "region", ["", " ", "\u3000", "a\0", ["x"], ["x", "y", "z"], [], ["x", 5], [5, "http://x"], {}, 5]
)
def test_regions_that_are_neither_name_nor_pair_are_refused(region):
    assert problem({**S3, "region": region}).startswith("region")


@pytest.mark.parametrize("name", ["bucket", "region", "access_key", "secret_key"])
@pytest.mark.parametrize("value", ["", " ", "\t", "\u2003\u00a0"])
def test_what_must_say_something_may_not_be_blank(name, value):
    assert problem({**S3, name: value}) == f"{name}: must not be blank or hold control characters"


def test_keys_may_have_line_breaks_and_nothing_worse():
    assert read_source({**GCS, "private_key": "a\r\n\tb\n"}, may_keep=False).secrets["private_key"] == "a\r\n\tb\n"
    for key in ("\n", "a\0", "a\x1b[0m"):
        assert problem({**GCS, "private_key": key}).startswith("private_key: must not be blank")


@pytest.mark.parametrize(
    "value",
    [
        {"hidden-secret": 1},
        {"hidden-secret": False},
        {"hidden-secret": "true"},
        {"hidden-secret": True, "x": 1},
        {"hidden_secret": True},
        {},
        [HIDDEN],
        True,
    ],
)
def test_only_the_exact_marker_keeps_a_secret(value):
    assert problem({**HTTP, "password": value}, may_keep=True) == "password: must be a string"


def test_a_marker_outside_of_secrets_is_no_string():
    assert problem({**HTTP, "username": HIDDEN}, may_keep=True) == "username: must be a string"


def test_all_mistakes_are_told_at_once_within_bounds():
    assert problem({"type": "http", "nope": 1, "url": 5}) == (
        "nope: unknown field; name: this field is required; url: must be a string; layout: this field is required"
    )
    many = problem({**HTTP, **{f"unknown{number}": 1 for number in range(50)}})
    assert many.endswith("; and 40 more")
    assert len(many) < 400


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800", "\u202e", ""])
def test_names_of_unknown_fields_are_made_harmless(name):
    text = problem({**HTTP, name: CANARY})
    assert text.isprintable()
    assert len(text) < 120


def test_long_texts_are_judged_in_linear_time():
    for name, kind in (("bucket", S3), ("private_key", GCS), ("prefix", S3)):
        problem({**kind, name: " " * 16000 + "\0"})
        problem({**kind, name: "x" * 16000 + "\0"})
    problem({**HTTP, "filters": {"path_patterns": ["*a" * 500 + "**b", "a" * 1000 + "["]}})
    problem({**HTTP, "url": "http://" + "a." * 1000 + "!"})


def outcome(body: object, *, may_keep: bool) -> tuple[Submitted | None, str]:
    try:
        return read_source(body, may_keep=may_keep), ""
    except ApiError as error:
        return None, error.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)
NAMES = sorted({entry.name for kind in TYPES.values() for entry in kind.fields} | {"id", "name", "type"})


@given(
    base=st.sampled_from([*BODIES.values(), {}]),
    changes=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), JSON, max_size=4),
    may_keep=st.booleans(),
)
def test_any_body_is_either_understood_or_refused_in_words(base, changes, may_keep):
    body = {**base, **changes}
    submitted, message = outcome(body, may_keep=may_keep)
    if submitted is None:
        assert message.isprintable()
        assert len(message) < 2000
        return
    kept = {name: value for name, value in body.items() if value is not None and name not in {"type", "id", "name"}}
    assert submitted.config.keys() == kept.keys()
    assert {**submitted.config, **submitted.secrets, **dict.fromkeys(submitted.kept, HIDDEN)} == {
        name: _without_nulls(value) for name, value in kept.items()
    }


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if inner is not None}
    return value
