"""What scripts say of their maps."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats.bytewise import FormatError
from engine.javascript.discovery import data_url_content, read_comments

ID = "85314830-023f-4cf1-a267-535f4e37bb17"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("a\n//# sourceMappingURL=a.map", "a.map"),
        ("//@ sourceMappingURL=a.map", "a.map"),
        ("x()//# sourceMappingURL=a.map y", "a.map"),
        ("//# sourceMappingURL= \ta.map\r\n", "a.map"),
        ("//# sourceMappingURL=a.map?x#y", "a.map"),
        ("//# sourceMappingURL=a.map#y?x", "a.map"),
        ("//# sourceMappingURL=a\n//# sourceMappingURL=b", "b"),
        ("//# sourceMappingURL=a\n/*# sourceMappingURL=b */", "a"),
        ("//# sourceMappingURL=a\n'sourceMappingURL=b'", "a"),
        ("//# sourceMappingURL=a\n// sourceMappingURL=b", "a"),
        ("//# sourceMappingURL=ä.map", "ä.map"),
        ("//#  sourceMappingURL=a", None),
        ("//# sourceMappingURL=", None),
        ("//# sourceMappingURL=?x", None),
        ("/*# sourceMappingURL=a */", None),
        ("//#sourceMappingURL=a", None),
        ("sourceMappingURL=a", None),
        ("", None),
    ],
)
def test_the_last_comment_that_is_one_names_the_map(text, url):
    assert read_comments(text.encode()).map_url == url


@pytest.mark.parametrize(
    ("text", "debug_id"),
    [
        (f"//# debugId={ID}", ID),
        (f"//# debugId={ID.upper().replace('-', '')}\n", ID),
        (f"//# debugId={ID}\n//# debugId=other", None),
        (f"//@ debugId={ID}", None),
        ("", None),
    ],
)
def test_the_last_debug_id_counts(text, debug_id):
    found = read_comments(text.encode()).debug_id
    assert (str(found) if found else None) == debug_id


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("data:application/json;base64," + base64.b64encode(b'{"a":1}').decode(), b'{"a":1}'),
        ("data:application/json;charset=utf-8;base64,e30=", b"{}"),
        ("data:,%7B%7D", b"{}"),
        ("data:application/json,{}", b"{}"),
        ("data:;base64,", b""),
    ],
)
def test_data_urls(url, content):
    assert data_url_content(url) == content


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:;base64",
        "data:;base64,e30",
        "data:;base64,e3 0=",
        "data:;base64,e30=x",
        "data:;base64,/w==",
        "data:,%ff",
    ],
)
def test_broken_data_urls(url):
    with pytest.raises(FormatError):
        data_url_content(url)


@given(st.binary(max_size=200) | st.text(alphabet="/#@ sourceMappingURL=debugId\n", max_size=100).map(str.encode))
def test_reading_comments_never_fails(text):
    read_comments(text)


def test_a_file_full_of_comments_is_read_in_one_go():
    assert read_comments(b"sourceMappingURL=" * 200_000).map_url is None
