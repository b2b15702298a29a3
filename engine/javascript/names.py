"""Names as people know them: of functions from scopes, of files and modules from the sources of bundlers."""

from __future__ import annotations

import re
from itertools import groupby

from engine.javascript.urls import join, rooted
from engine.javascript.wire import Frame

ANONYMOUS = "<anonymous>"
UNKNOWN = "<unknown>"
# What bundlers wrap around modules: says nothing about the code that runs.
_WRAPPERS = frozenset({ANONYMOUS, "__webpack_require__", "__webpack_modules__"})
_ASYNC_DART = "$async$"

_WEBPACK_NAMESPACE = re.compile(r"\Awebpack(?:-internal)?://[^/]*/\./")
_WEBPACK_ROOTS = ("webpack:///", "webpack-internal:///")
_DEPENDENCIES = "/~/"
_MODULE_SCHEMES = ("http:", "https:", "webpack:", "turbopack:", "app:")

_DIGEST_LENGTH = 32
_SHA1 = re.compile(r"\A[0-9a-f]{40}\Z", re.IGNORECASE)
_LEADING = re.compile(
    r"""\A(?:
        (?:java)?scripts? | js | build | static | node_modules | bower_components
        | [_.~].*
        | v?\d+(?:\.\d+)*
        | (?:[0-9a-f]{7,8} | [0-9a-f]{32} | [0-9a-f]{40})
    )\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_COMMIT = re.compile(r"[-.][0-9a-f]{7,}\Z", re.IGNORECASE)


def function_name(scope: str | None, token_name: str | None, called_as: str | None, given: str | None) -> str:
    """The name of a frame's function.

    `scope` is what the minified code says when its names are mapped back, `token_name` the name at the very position,
    `called_as` the name at the position of the caller, and `given` what the frame came with.
    """
    name = scope or UNKNOWN
    if name == UNKNOWN:
        name = given or UNKNOWN
    if name.startswith(_ASYNC_DART) and token_name:
        name = token_name
    if name in _WRAPPERS:
        name = called_as or given or name
    return folded(name)


def folded(name: str) -> str:
    """`a.a.a.b` as `{a#3}.b`: equal neighbours become one, the last part stays as it is."""
    *before, last = name.split(".")
    groups = ((part, sum(1 for _ in equal)) for part, equal in groupby(before))
    return ".".join([*(f"{{{part}#{count}}}" if count > 1 else part for part, count in groups), last])


def place_source(frame: Frame, base: str, source: str) -> None:
    """Set file, path and module of a frame to those of an original source, named relative to `base`."""
    frame.abs_path = join(base, source)
    frame.filename = source
    if source.startswith("webpack:"):
        frame.filename = _webpack_file(source)
        frame.module = module_name(frame.filename) or frame.module
    elif source.startswith("turbopack:"):
        frame.filename = _turbopack_file(source)
        frame.module = module_name(frame.filename) or frame.module
    if frame.module is None and frame.abs_path.startswith(_MODULE_SCHEMES):
        frame.module = module_name(frame.abs_path) or None


def module_name(path: str) -> str:
    """A path without host, extension, and the folders and digests that differ between builds; may be empty."""
    path = re.split("[?#]", rooted(path), maxsplit=1)[0]
    folder, slash, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    parts = (folder + slash + (stem if dot else name).removesuffix(".min")).split("/")
    for at, part in enumerate(parts):
        if len(part) == _DIGEST_LENGTH or _SHA1.match(part):
            return "/".join(parts[at + 1 :])
    first = 0
    while first < len(parts) - 1 and (not parts[first] or _LEADING.match(parts[first])):
        first += 1
    return _COMMIT.sub("", "/".join(parts[first:]))


def _webpack_file(source: str) -> str:
    if _DEPENDENCIES in source:
        return "~/" + source.partition(_DEPENDENCIES)[2]
    found = _WEBPACK_NAMESPACE.match(source)
    if found is not None:
        return "./" + source[found.end() :]
    return next((source.removeprefix(root) for root in _WEBPACK_ROOTS if source.startswith(root)), source)


def _turbopack_file(source: str) -> str:
    if _DEPENDENCIES in source:
        return "~/" + source.partition(_DEPENDENCIES)[2]
    return source.removeprefix("turbopack:///").removeprefix("[project]/")
