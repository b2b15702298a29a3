"""Which addresses sources may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import ApiError
from sources.addresses import URL_PATTERN, origin
from sources.validation import read_source
from tests.sources.helpers import HTTP, S3


def problem(body: object) -> str:
    with pytest.raises(ApiError) as caught:
        read_source(body, may_keep=False)
    return caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "honk.beep",
        "//honk.beep",
        "/x",
        "ftp://honk.beep",
        "file:///etc/passwd",
        "http:",
        "http://",
        "http:///x",
        "http://?x",
        "http://:80",
        "http://a b/",
        "http://a/b c",
        " http://a",
        "http://a ",
        "http://a\n",
        "http://a:99999",
        "http://a:65536/",
        "http://a:x/",
        "http://a:/",
        "http://[::1",
        "http://[1:2]/",
        "http://[::1::]/",
        "http://a..b/",
        "http://-a/",
        "http://bücher.example/",
        f"http://{'a' * 64}.example/",
        "http://a/\u2028",
    ],
)
def test_what_is_no_absolute_web_address_is_refused(url):
    text = "must be an absolute http or https URL with an ASCII host name and no blanks"
    assert problem({**HTTP, "url": url}) == f"url: {text}"
    assert problem({**S3, "region": ["x", url]}) == f"region[1]: {text}"


@pytest.mark.parametrize(
    "url", ["http://user:pw@honk.beep/", "http://user@honk.beep", "http://a\\@b/", "https://@x/", "http://a:b@c:1"]
)
def test_credentials_in_addresses_are_refused(url):
    text = "must not hold a user name or password; a source has fields for them"
    assert problem({**HTTP, "url": url}) == f"url: {text}"


@pytest.mark.parametrize(
    "url",
    [
        "http://honk.beep",
        "HTTPS://Honk.Beep./",
        "http://127.0.0.1:0/",
        "http://[::1]:65535/x",
        "http://[2001:db8::7:8]/",
        "http://[1:2:3:4:5:6:7:8]",
        "http://[1::]",
        "http://[::]",
        "http://my_host/a@b",
        "http://x?y=http://u:p@z",
        "http://x#f",
        f"http://x/{'y' * 2039}",
    ],
)
def test_web_addresses_pass(url):
    assert read_source({**HTTP, "url": url}, may_keep=False).config["url"] == url


def test_addresses_have_a_longest_length():
    assert problem({**HTTP, "url": f"http://x/{'y' * 2040}"}) == "url: must have at most 2048 characters"


@given(st.from_regex(f"^{URL_PATTERN}$", fullmatch=True))
def test_every_address_that_passes_leads_somewhere(url):
    scheme, host, port = origin(url)
    assert scheme in {"http", "https"}
    assert host
    assert 0 <= port <= 65535
