"""What is our own of JavaScript: comments and data URLs, artifact bundles, files of builds, maps as they are asked."""

from __future__ import annotations

import base64
import json
from functools import partial

from debugfiles.bundles import read_bundle
from debugfiles.taking.javascript import look_into
from engine.formats.bytewise import FormatError
from engine.javascript.artifacts import Kind
from engine.javascript.bundles import ArtifactBundle
from engine.javascript.context import context_of, line_ends
from engine.javascript.discovery import data_url_content, read_comments
from engine.javascript.inputs import Text, is_utf8, read_facts
from engine.javascript.maps import _build, _look_up, _Table
from engine.javascript.urls import candidates, is_absolute_url, join, stem
from engine.modules import DebugId
from fuzz.seeds import corpus, files, shared
from fuzz.target import Shape, Target
from fuzz.targets.places import on_disk
from tests.engine.formats import builders

_ID = "26f1d9c2-43ae-4f5f-9a0a-0b1f3f6f7a11"
_MAP = {
    "version": 3, "file": "a.js", "sources": ["a.ts", "b.ts"], "sourcesContent": ["let a = 1;\n", None], "names": ["f"],
    "mappings": "AAAA,SAASA;ACAT", "debugId": _ID, "sourceRoot": "/src", "x_facebook_sources": [[{"names": ["<g>"],
    "mappings": "AAA"}], None], "ignoreList": [0],
}  # fmt: skip
_INDEX = {"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": _MAP},
                                     {"offset": {"line": 5, "column": 3}, "map": _MAP}]}  # fmt: skip
_HERMES = {
    "version": 3,
    "sources": ["a.js"],
    "names": [],
    "mappings": "AAAA,CAAC,EAAE",
    "x_hermes_function_offsets": {"0": [0, 9]},
    "x_facebook_sources": [[{"names": ["<global>", "g"], "mappings": "AAA,CCA"}]],
}
_SCRIPT = b"function f(){}\nf();\n//# sourceMappingURL=a.js.map?x#y\n//# debugId=" + _ID.encode() + b"\n"
_DATA = b"data:application/json;base64," + base64.b64encode(json.dumps(_MAP).encode())
_INLINE = b"f()\n//# sourceMappingURL=" + _DATA + b"\n"
_MANIFEST = {
    "files": {
        "a": {"type": "minified_source", "url": "~/a.js", "headers": {"debug-id": _ID, "Sourcemap": "a.map"}},
        "b": {"type": "source_map", "url": "~/a.map", "headers": {"Debug-Id": _ID}},
        "c": {"type": "source", "url": None},
    },
    "release": "1",
    "dist": "2",
    "debug_id": _ID,
}
_COMMENTS = (
    b"//# sourceMappingURL=",
    b"//@ sourceMappingURL=",
    b"//# debugId=",
    b"data:,",
    b";base64,",
    b"%7b",
    b"?",
    b"#",
)
_FIELDS = (
    b"version sources names mappings sections offset line column map sourcesContent x_facebook_sources sourceRoot "
    b"x_hermes_function_offsets debugId debug_id ignoreList AAAA ;;;; gggggggB /// ++++"
).split(b" ")
_PLACES = ((1, 1), (1, 3), (2, 1), (5, 3), (6, 4), (2**31, 1), (2**32 - 1, 2**32 - 1), (1, 2**32 - 1))


def _facts(data: bytes) -> None:
    facts = read_facts("x", data)
    assert facts.size == len(data)
    if facts.inline is not None:
        assert is_utf8(facts.inline.read())
    comments = read_comments(data)
    assert comments.map_url is None or comments.map_url
    ends = line_ends(data)
    assert len(ends) == len(data.splitlines(keepends=False)) or b"\r" in data or not data.isascii() or len(ends) >= 0
    for line, column in _PLACES:
        found = context_of(data, line, column, ends)
        assert found is None or len(found.before) <= 5 and len(found.after) <= 5


def _data_url(data: bytes) -> None:
    data_url_content(data.decode("latin-1")).decode()


def _urls(data: bytes) -> None:
    base, _, right = data.decode("utf-8", "replace").partition("\n")
    joined = join(base, right)
    for text in (base, right, joined):
        assert text.partition("#")[0] in candidates(text)
        stem(text)
        is_absolute_url(text)


def _source_map(data: bytes) -> None:
    """A map that can be built gives a token for each position that is asked for, or none."""
    if not is_utf8(data):
        return
    table = _Table(_build(b"", data), Text("x", len(data), lambda: data))
    for line, column in _PLACES:
        _look_up(table, line, column)


def _built(data: bytes) -> None:
    for name in ("a.js.map", f"{_ID}-a.js"):
        found = look_into(memoryview(data), name)
        assert found.kind in (Kind.SOURCE_MAP, Kind.MINIFIED_SOURCE)


def _bundle(data: bytes) -> None:
    """The reader that answers requests, and the one that takes uploads."""
    try:
        bundle = ArtifactBundle(memoryview(data))
        for kind in Kind:
            for found in (bundle.find_id(DebugId.parse(_ID), kind), bundle.find_url("~/a.js")):
                if found is not None and bundle.size(found) < 1 << 20:
                    assert len(bundle.content(found, max_bytes=1 << 20)) <= 1 << 20
    except FormatError:
        pass
    read_bundle(on_disk(data))


def _of_manifest(data: bytes) -> None:
    _bundle(b"SYSB\2\0\0\0" + builders.zipped({"manifest.json": data, "a": b"f()", "b": b"{}", "c": b""}))


def _bundles() -> list[bytes]:
    return [builders.source_bundle(_MANIFEST, {"a": b"f()", "b": b"{}", "c": b""})]


def _maps() -> list[bytes]:
    return [
        *map(_json, (_MAP, _INDEX, _HERMES)),
        *files("js/*/*.map", most=20 << 10),
        *shared("peers/symbolic/sourcemap*/*", most=20 << 10),
        *corpus("source map"),
    ]


_json = partial(lambda value: json.dumps(value).encode())

TARGETS = (
    Target(
        "script comments",
        lambda: [_SCRIPT, _INLINE, *files("js/*/*.js", most=20 << 10)],
        _facts,
        words=_COMMENTS,
        runs=300,
    ),
    Target(
        "data url",
        lambda: [_DATA, b"data:,%7b%7d", b"data:;charset=utf-8,{}"],
        _data_url,
        (FormatError,),
        words=_COMMENTS,
        runs=300,
    ),
    Target(
        "script urls",
        lambda: [
            b"https://h:1/a/b.js?x#y\n../c.js.map",
            b"app:///a.min.js\n~/b",
            b"C:\\a.js\nwebpack:///x",
            b"//[::1]/a\n//h/b",
        ],
        _urls,
        words=(b"://", b"../", b"~/", b"//", b"[", b"]", b":"),
        runs=1000,
    ),
    Target("source map", _maps, _source_map, (FormatError,), shape=Shape.JSON, words=_FIELDS, runs=250),
    Target(
        "built file",
        lambda: [_SCRIPT, *_maps(), b")]}'\n" + _json(_MAP)],
        _built,
        (FormatError,),
        words=_FIELDS,
        runs=250,
    ),
    Target(
        "artifact bundle", _bundles, _bundle, (FormatError,), words=(b"PK\1\2", b"PK\3\4", b"PK\5\6", b"SYSB"), runs=500
    ),
    Target(
        "artifact manifest",
        lambda: [_json(_MANIFEST)],
        _of_manifest,
        (FormatError,),
        shape=Shape.JSON,
        words=(b"files", b"headers", b"debug-id", b"type", b"url", b"source_map", b"a"),
        runs=150,
    ),
)
