"""Which URLs the allowed origins of a request cover."""

from __future__ import annotations

import pytest

from engine.lookup.origins import is_allowed


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("http://example.com/a.cs", "*"),
        ("http://example.com/a.cs", "http://example.com/a.cs"),
        ("http://example.com/a.cs", "example.com"),
        ("http://Example.COM/a.cs", "example.com"),
        ("http://example.com/a.cs", "http://example.com"),
        ("http://example.com:80/a.cs", "example.com:80"),
        ("https://example.com/a.cs", "example.com:443"),
        ("http://example.com:8080/a.cs", "example.com"),
        ("http://example.com/a.cs", "*.example.com"),
        ("http://raw.example.com/a.cs", "*.example.com"),
        ("http://example.com/src/a.cs", "example.com/src/*"),
        ("http://example.com/src/a.cs", "example.com/src"),
        ("http://anything.at/src/a.cs", "*/src"),
        ("https://any.example/a.cs", "https://*"),
        ("https://any.example:444/a.cs", "*:444"),
        ("http://bücher.example/a.cs", "xn--bcher-kva.example"),
        ("http://example.com/a.cs", "*://example.com"),
    ],
)
def test_covered(url, pattern):
    assert is_allowed(url, [pattern])
    assert is_allowed(url, ["nowhere.example", pattern])


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("http://foo.example.com/a.cs", "example.com"),
        ("http://badexample.com/a.cs", "*.example.com"),
        ("http://example.com/a.cs", "https://example.com"),
        ("http://example.com:8080/a.cs", "example.com:80"),
        ("http://example.com/a.cs", "example.com/src/*"),
        ("http://example.com.evil.test/a.cs", "example.com"),
        ("http://evil.test/example.com", "example.com"),
        ("http://example.com@evil.test/", "example.com"),
        ("http://example.com:port/", "example.com"),
        ("http://example.com/a.cs", ""),
    ],
)
def test_not_covered(url, pattern):
    assert not is_allowed(url, [pattern])


def test_without_patterns_nothing_is_covered():
    assert not is_allowed("http://example.com/", [])
