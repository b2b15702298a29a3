"""What is masked in what clients send, and what is not."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashes.scrubbing import MASK, scrub, scrub_attributes, scrub_text

CANARY = "canary7f3aB9"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
HEX_TOKEN = "685f2e33a75f0f4623584389aa11bb22cc33dd44ee55ff6677889900aabb6f34"

SECRET_TEXTS = {
    "url_password": f"connect to postgres://bob:{CANARY}@db.example.com/shop failed",
    "url_password_with_at": f"amqp://bob:p@{CANARY}@mq/",
    "bearer": f"curl -H 'Authorization: Bearer {CANARY}'",
    "bare_bearer": f"got bearer {CANARY} back",
    "authorization": f"Authorization: {CANARY}",
    "basic": f"Authorization=Basic {CANARY}{CANARY}",
    "assignment": f"password={CANARY} host=db",
    "quoted_assignment": f'{{"api_key": "{CANARY} with blanks"}}',
    "python_assignment": f"client_secret = '{CANARY}'",
    "environment_style": f"AWS_SECRET_ACCESS_KEY={CANARY}",
    "yaml": f"db_password: {CANARY}",
    "option": f"server --api-key {CANARY} --port 80",
    "option_with_equals": f"server --db-password={CANARY}",
    "query": f"GET /cb?user=1&access_token={CANARY}&x=2",
    "signature": f"https://s3/x?X-Amz-Signature={CANARY}&a=b",
    "private_key": f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
    "cut_private_key": f"-----BEGIN PRIVATE KEY-----\n{CANARY}",
}


@pytest.mark.parametrize("name", SECRET_TEXTS)
def test_a_secret_within_a_text_is_masked(name):
    masked = scrub_text(SECRET_TEXTS[name])
    assert CANARY not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        JWT,
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1_B2" * 9,
        "glpat-" + "a1B2" * 5,
        "xoxb-1234567890-abcdefghij",
        "AIza" + "a1B2-" * 7,
        "sk_live_" + "a1B2" * 6,
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
    ],
    ids=["jwt", "aws", "github", "github_new", "gitlab", "slack", "google", "stripe", "visa", "mastercard", "amex"],
)
def test_what_looks_like_a_secret_is_masked(text):
    assert scrub_text(f"before {text} after") == f"before {MASK} after"


def test_the_token_of_an_address_for_submissions_is_masked():
    url = f"https://submit.backtrace.io/acme/{HEX_TOKEN}/json"
    assert scrub_text(url) == f"https://submit.backtrace.io/acme/{MASK}/json"


@pytest.mark.parametrize(
    "text",
    [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "std::map<int, Token>::find(Key const&)",
        "at 0x7f6bdde3a022e in 1795244483123",
        "SIGSEGV / SEGV_MAPERR / 0x10",
        "https://user@example.com:8443/path?page=2",
        "the password is wrong",
        "Basic authentication failed",
        "2026-11-21 17:28:43.123456789",
        "4111 1111 1111 1112",
        HEX_TOKEN,
        "3988be7f44385cce25e399210deb9a5f57be012e",
    ],
    ids=range(11),
)
def test_other_texts_stay_as_they_are(text):
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "dbPassword", "api-key", "X-Api-Key", "Authorization", "Set-Cookie", "secret_number"]
    + ["csrfToken", "credentials", "pwd", "user.auth", "sessionId", "cvv", "aws.accessKey", "privateKeyPem"],
)
def test_values_under_secret_names_are_masked(name):
    assert scrub({name: CANARY}) == {name: MASK}
    assert scrub({"a": [{name: [CANARY]}]}) == {"a": [{name: MASK}]}
    assert scrub_attributes({name: CANARY}) == {name: MASK}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("application.session", "2b510da6"),
        ("author", "Ann"),
        ("max_tokens", 4096),
        ("passenger", "Ann"),
        ("key", "k1"),
        ("hostname", "vm"),
        ("environment", "production"),
        ("compass", "north"),
        ("has_password", True),
        ("guid", "a-b"),
    ],
)
def test_other_names_are_not_secret(name, value):
    assert scrub({name: value}) == {name: value}


def test_a_number_under_a_name_that_leaves_no_doubt_is_masked():
    assert scrub({"password": 12345, "card_number": 1}) == {"password": MASK, "card_number": MASK}


def test_a_card_number_as_a_number_is_masked():
    assert scrub([4111111111111111, 4111111111111112]) == [MASK, 4111111111111112]


def test_a_project_adds_names():
    values = {"Shoe-Size": 43, "inner": {"shoe-size": "x", "shoe_color": "red"}}
    assert scrub(values, ["shoe-size"]) == {"Shoe-Size": MASK, "inner": {"shoe-size": MASK, "shoe_color": "red"}}
    assert scrub(values, [" SHOE* ", ""]) == {"Shoe-Size": MASK, "inner": {"shoe-size": MASK, "shoe_color": MASK}}
    assert scrub_attributes(values, ["inner"])["inner"] == MASK


@pytest.mark.parametrize(
    "values",
    [
        {"Environment Variables": {"HOME": CANARY}},
        {"environ": [f"HOME={CANARY}"]},
        {"process": {"env": {"HOME": CANARY}}},
        {"environment": [{"name": "HOME", "value": CANARY}]},
        {"env.HOME": CANARY},
        {"dump": f"PATH=/bin\nHOME={CANARY}\nLANG=C"},
        {"block": f"PATH=/bin\0HOME={CANARY}\0"},
    ],
    ids=range(7),
)
def test_environment_variables_are_masked_as_a_whole(values):
    assert CANARY not in json.dumps(scrub(values))
    assert CANARY not in json.dumps(scrub_attributes(values))


def test_lists_of_names_and_values_are_understood():
    headers = [["Authorization", CANARY], ["Accept", "text/html"]]
    pairs = [{"name": "cookie", "value": CANARY}, {"key": "x", "value": 1}]
    assert scrub(headers) == [["Authorization", MASK], ["Accept", "text/html"]]
    assert scrub(pairs) == [{"name": "cookie", "value": MASK}, {"key": "x", "value": 1}]


def test_secrets_in_names_are_masked_too():
    assert scrub({f"postgres://bob:{CANARY}@db": 1}) == {f"postgres://bob:{MASK}@db": 1}


class TestAttributes:
    def test_they_are_flat(self):
        made = scrub_attributes({"a": {"password": CANARY, "b": [1, None]}, "n": 1.5, "t": True, "z": None})
        assert made == {"a": f'{{"password":"{MASK}","b":[1,null]}}', "n": 1.5, "t": True, "z": None}

    def test_they_are_few_and_short(self):
        made = scrub_attributes({f"{at:04}" + "n" * 300: "v" * 9000 for at in range(1200)})
        assert len(made) == 1000
        assert {len(name) for name in made} == {200}
        assert {len(value) for value in made.values()} == {8192}

    def test_a_secret_at_the_edge_is_not_cut_in_two(self):
        text = "x" * 8180 + f" password={CANARY}"
        assert CANARY[:4] not in scrub_attributes({"a": text})["a"]

    def test_what_no_database_stores(self):
        made = scrub_attributes({"\ud800": "\x00", "nan": float("nan"), "inf": [float("inf")], "big": 10**30})
        assert made == {"\ufffd": "\ufffd", "nan": None, "inf": "[null]", "big": "1" + "0" * 30}


def test_what_is_too_deep_is_dropped():
    value = "x"
    for _ in range(900):
        value = [value]
    assert json.dumps(scrub(value)).count("[") == 65


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None)), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_json_becomes_json_that_can_be_stored(value):
    text = json.dumps(scrub(value), allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    assert "\x00" not in text


@given(JSON)
def test_scrubbing_twice_is_scrubbing_once(value):
    once = scrub(value)
    assert scrub(once) == once


@pytest.mark.parametrize(
    "unit",
    ["a", "1 ", "eyJ", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "://:", "://a:", "password", "password="]
    + ["--a-", "?a=", "bearer ", "4", "PATH=\n", "-token-", "authorization:", "a-", "/", "key='", "?token"],
    ids=range(20),
)
def test_no_text_takes_long(unit):
    text = unit * (100_000 // len(unit))
    began = time.process_time()
    scrub(text)
    assert time.process_time() - began < 2
