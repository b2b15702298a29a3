"""Joining URLs, the URLs under which a file may have been uploaded, and stems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.javascript.urls import candidates, is_absolute_url, join, stem


@pytest.mark.parametrize(
    ("base", "right", "joined"),
    [
        ("https://h/a/b.js", "c.map", "https://h/a/c.map"),
        ("https://h/a/b.js", "/c.map", "https://h/c.map"),
        ("https://h/a/b.js", "//cdn/c.map", "https://cdn/c.map"),
        ("https://h/a/b.js", "~/c.map", "https://h/c.map"),
        ("https://h/a/b.js", "http://x/y", "http://x/y"),
        ("https://h/a/b.js", "webpack:///./src/a.js", "webpack:///./src/a.js"),
        ("https://h/a/b.js", "webpack:a", "webpack:a"),
        ("https://h/a/b.js", "turbopack:[project]/a", "turbopack:[project]/a"),
        ("https://h/a/b.js", "../c", "https://h/c"),
        ("https://h/a/b.js", "../../../c", "https://h/c"),
        ("https://h/a/b.js", "./c/./d", "https://h/a/c/d"),
        ("https://h/a/b.js", "c//d", "https://h/a/c/d"),
        ("https://h", "c", "https://h/c"),
        ("https://h/a/b.js?x=/y", "c", "https://h/a/b.js?x=/c"),
        ("https://h/ä/b.js", "ö %20", "https://h/ä/ö %20"),
        ("app:///a/b.js", "../../c", "app:///../c"),
        ("app:///a/b.js", "./c/./d", "app:///a/c/./d"),
        ("/srv/app/b.js", "c", "/srv/app/c"),
        ("/srv/app/b.js", "/c", "/c"),
        ("/srv/app/b.js", "//c", "//c"),
        ("/b.js", "../c", "/../c"),
        ("b.js", "c", "c"),
        ("b.js", "../../c", "../../c"),
        ("a/b.js", "./c/./d", "a/c/./d"),
    ],
)
def test_join(base, right, joined):
    assert join(base, right) == joined


@pytest.mark.parametrize(
    ("abs_path", "expected"),
    [
        ("https://h/a/b.js?q=1#f", ("https://h/a/b.js?q=1", "https://h/a/b.js", "~/a/b.js?q=1", "~/a/b.js")),
        ("https://h/a/b.js", ("https://h/a/b.js", "~/a/b.js")),
        ("app:///x", ("app:///x", "~/x")),
        ("/srv/x.js", ("/srv/x.js", "~/srv/x.js")),
        ("~/x.js", ("~/x.js",)),
    ],
)
def test_candidates_from_the_most_to_the_least_exact(abs_path, expected):
    assert candidates(abs_path) == expected


@pytest.mark.parametrize(
    ("abs_path", "expected"),
    [
        ("https://h/a/b.min.js?x", "/a/b"),
        ("app:///_next/x.js", "/_next/x"),
        ("~/a/b.js.map", "/a/b"),
        ("/srv/b.d.ts", "/srv/b"),
        ("https://h/b.min.min.mjs#x", "/b"),
        ("https://h/b.cjs", "/b"),
        ("https://h/a/b.test.tsx", "/a/b.test"),
        ("https://h/a.js/b.jsx", "/a.js/b"),
        ("https://h/", "/"),
        ("https://h", "/"),
        ("https://h/.js", "/"),
    ],
)
def test_stem(abs_path, expected):
    assert stem(abs_path) == expected


@pytest.mark.parametrize("text", ["https://h/x", "app:///x", "webpack:///./x", "file:///x", "foo:bar"])
def test_urls_with_a_scheme_are_absolute(text):
    assert is_absolute_url(text)


@pytest.mark.parametrize("text", ["", "x", "/x", "~/x", "//h/x", "http:///x", "1a:x", "https://[", "<anonymous>"])
def test_all_others_are_not(text):
    assert not is_absolute_url(text)


PATHS = st.text(alphabet="ab./~?#:äx\\ ", max_size=30) | st.text(max_size=20)
BASES = st.one_of(PATHS, PATHS.map("https://h/{}".format), PATHS.map("app:///{}".format))


@given(BASES, PATHS)
def test_joining_never_fails_and_never_leaves_the_host_for_a_relative_path(base, right):
    joined = join(base, right)
    if (
        base.startswith("https://h/")
        and "://" not in right
        and not right.startswith(("webpack:", "turbopack:", "/", "~"))
    ):
        assert joined.startswith("https://h/")


@given(BASES)
def test_a_stem_has_no_suffix_left_to_strip(path):
    once = stem(path)
    assert not once.rpartition("/")[2].endswith((".min", ".js", ".map", ".cjs", ".mjs", ".ts", ".d", ".jsx", ".tsx"))


@given(BASES)
def test_the_candidates_of_a_candidate_are_among_the_candidates(path):
    found = candidates(path)
    assert all(set(candidates(url)) <= set(found) for url in found if not url.startswith("~"))
