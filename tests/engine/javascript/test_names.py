"""Names of functions, files and modules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.javascript.names import folded, function_name, module_name, place_source
from engine.javascript.wire import Frame


@pytest.mark.parametrize(
    ("scope", "token", "called_as", "given", "expected"),
    [
        ("A.m", "x", "y", "z", "A.m"),
        ("<unknown>", "x", "y", "z", "z"),
        ("<unknown>", "x", "y", None, "<unknown>"),
        (None, None, None, None, "<unknown>"),
        ("<anonymous>", "x", "y", "z", "y"),
        ("<anonymous>", "x", None, "z", "z"),
        ("<anonymous>", "x", "", None, "<anonymous>"),
        ("__webpack_require__", None, "y", "z", "y"),
        ("__webpack_modules__", None, None, "z", "z"),
        ("<unknown>", None, "y", "<anonymous>", "y"),
        ("<unknown>", None, "y", "__webpack_require__", "y"),
        ("<unknown>", None, "y", "?", "?"),
        ("$async$main", "main", None, None, "main"),
        ("$async$main", None, None, None, "$async$main"),
        ("$async$x", "<anonymous>", "y", None, "y"),
        ("foo.foo.foo", None, None, None, "{foo#2}.foo"),
        ("<unknown>", None, None, "a.a.b", "{a#2}.b"),
    ],
)
def test_function_name(scope, token, called_as, given, expected):
    assert function_name(scope, token, called_as, given) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("foo.foo", "foo.foo"),
        ("a.b.b.b.c.c", "a.{b#3}.c.c"),
        ("a.a.b.a.a.c", "{a#2}.b.{a#2}.c"),
        ("", ""),
        ("..", "{#2}."),
    ],
)
def test_folding(name, expected):
    assert folded(name) == expected


@given(st.text(alphabet="ab.", max_size=20))
def test_folding_never_grows_the_number_of_parts(name):
    assert folded(name).count(".") <= name.count(".")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("http://h/static/js/app.min.js?x=1#y", "app"),
        ("~/lib/index.js", "lib/index"),
        ("./src/App.js", "src/App"),
        ("https://h/foo/bar/baz.js", "foo/bar/baz"),
        ("https://h/JavaScripts/Build/a.js", "a"),
        ("https://h/v1.2/a.js", "a"),
        ("https://h/1/2.0.1/a.js", "a"),
        ("https://h/abcdef1/a.js", "a"),
        ("https://h/abcdef12/a.js", "a"),
        ("https://h/abcdef123/a.js", "abcdef123/a"),
        ("https://h/x/0123456789abcdef0123456789abcdef/y/a.js", "y/a"),
        ("https://h/x/not-hex-but-thirty-two-chars-lon/y/a.js", "y/a"),
        ("https://h/x/0123456789abcdef0123456789abcdef01234567/y/a.js", "y/a"),
        ("https://h/node_modules/_x/.y/~z/pkg/a.js", "pkg/a"),
        ("https://h/app-0123abc.js", "app"),
        ("https://h/app.0123abc.js", "app"),
        ("https://h/app.012abc.js", "app.012abc"),
        ("https://h/a.b/c", "a.b/c"),
        ("https://h/src/static/a.js", "src/static/a"),
        ("https://h/", ""),
    ],
)
def test_module_name(path, expected):
    assert module_name(path) == expected


@given(st.text(alphabet="ab1./~-_?#", max_size=40))
def test_module_names_never_begin_with_a_slash(path):
    assert not module_name(path).startswith("/")


@pytest.mark.parametrize(
    ("base", "source", "abs_path", "filename", "module"),
    [
        ("https://h/a/b.map", "src/c.js", "https://h/a/src/c.js", "src/c.js", "a/src/c"),
        ("/srv/b.map", "c.js", "/srv/c.js", "c.js", None),
        ("app:///b.map", "c.js", "app:///c.js", "c.js", "c"),
        ("x", "webpack:///./src/c.js", "webpack:///./src/c.js", "./src/c.js", "src/c"),
        ("x", "webpack://ns/./src/c.js", "webpack://ns/./src/c.js", "./src/c.js", "src/c"),
        ("x", "webpack:///src/c.js", "webpack:///src/c.js", "src/c.js", "src/c"),
        ("x", "webpack:///./~/react/c.js", "webpack:///./~/react/c.js", "~/react/c.js", "react/c"),
        ("x", "webpack-internal:///./c.js", "webpack-internal:///./c.js", "webpack-internal:///./c.js", None),
        ("x", "turbopack:///[project]/src/c.js", "turbopack:///[project]/src/c.js", "src/c.js", "src/c"),
        ("x", "turbopack:///a/~/p/c.js", "turbopack:///a/~/p/c.js", "~/p/c.js", "p/c"),
    ],
)
def test_place_of_a_source(base, source, abs_path, filename, module):
    frame = Frame("raw", 1)
    place_source(frame, base, source)
    assert (frame.abs_path, frame.filename, frame.module) == (abs_path, filename, module)


def test_a_module_that_the_frame_came_with_stays():
    frame = Frame("raw", 1, module="mine")
    place_source(frame, "https://h/b.map", "c.js")
    assert frame.module == "mine"


def test_the_module_of_a_bundler_replaces_it():
    frame = Frame("raw", 1, module="mine")
    place_source(frame, "https://h/b.map", "webpack:///./c.js")
    assert frame.module == "c"
