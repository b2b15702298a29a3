from __future__ import annotations

import json

import pytest

from engine.formats.bytewise import FormatError
from engine.formats.source_links import SourceLinks

LINKS = SourceLinks(
    {
        r"C:\src\*": "https://example.com/app/*",
        r"C:\src\lib\*": "http://example.com/lib/*/raw",
        r"C:\src\lib\Exact.cs": "https://example.com/exact",
        "/_/*": "https://example.com/unix/*?ref=1",
    }
)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        (r"C:\src\a\b.cs", "https://example.com/app/a/b.cs"),
        (r"c:\SRC\A\b.cs", "https://example.com/app/A/b.cs"),
        (r"C:\src\lib\x.cs", "http://example.com/lib/x.cs/raw"),
        (r"C:\src\LIB\exact.CS", "https://example.com/exact"),
        ("/_/a b.cs", "https://example.com/unix/a b.cs?ref=1"),
        ("C:\\src\\", "https://example.com/app/"),
        ("C:\\src", None),
        ("/other/a.cs", None),
        ("", None),
    ],
)
def test_exact_paths_win_over_the_longest_prefix_whatever_the_case(path: str, url: str | None):
    assert LINKS.find(path) == url


@pytest.mark.parametrize("url", ["file:///etc/*", "ftp://h/*", "javascript:*", "*", "", "//host/*"])
def test_only_http_and_https_are_links(url: str):
    assert SourceLinks({"/a/*": url}).find("/a/b") is None


@pytest.mark.parametrize("documents", [{"/a/*/b": "https://h/*"}, {"/*a*": "https://h/*"}, {"/a/*": "https://h/x"}])
def test_pairs_that_are_no_pattern_are_left_out(documents: dict[str, str]):
    assert len(SourceLinks(documents)) == 0


def test_letters_that_grow_when_lowered_do_not_shift_the_rest():
    assert SourceLinks({"/İstanbul/*": "https://h/*"}).find("/İSTANBUL/Ankara.cs") == "https://h/Ankara.cs"


def test_a_document_may_begin_with_a_byte_order_mark():
    text = "\ufeff" + json.dumps({"documents": {"/a/*": "https://h/*"}, "extra": 1})
    assert SourceLinks.parse(text.encode()).find("/a/b") == "https://h/b"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"documents": 1}',
        b'{"documents": {"a": 1}}',
        b"\xff",
        b"[" * 100_000,
        b'{"documents":{"\xed":"x"}}',
    ],
)
def test_what_is_no_such_document_is_malformed(text: bytes):
    with pytest.raises(FormatError):
        SourceLinks.parse(text)


def test_many_prefixes_do_not_make_finding_slow():
    links = SourceLinks({f"/dir{number:06}/*": "https://h/*" for number in range(50_000)})
    assert [links.find(f"/dir{number:06}/x") for number in range(0, 50_000, 5)] == ["https://h/x"] * 10_000
