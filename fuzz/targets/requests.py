"""Bodies of symbolication requests and sources, and the paths that symbol servers are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable

from engine.decoding import BadJson, BadSchema
from engine.javascript.wire import decode_js_request
from engine.jvm.wire import decode_jvm_request
from engine.native.wire import decode_request
from engine.sourcetypes.config import BadSource, decode_sources
from fuzz.target import Shape, Target
from symbolserver.readings import read, read_source

_SOURCES = [
    {"type": "http", "id": "a", "url": "https://h/", "layout": {"type": "symstore", "casing": "lowercase"},
     "filters": {"filetypes": ["pe"], "path_patterns": ["*"]}, "headers": {"X-A": "b"}, "is_public": True},
    {"type": "s3", "id": "b", "bucket": "b", "region": ["x", "https://h"], "access_key": "k", "secret_key": "s",
     "layout": {"type": "unified"}, "prefix": "p"},
    {"type": "gcs", "id": "c", "bucket": "b", "client_email": "e", "private_key": "k", "layout": {"type": "native"}},
    {"type": "sentry", "id": "d", "url": "https://h/", "token": "t"},
]  # fmt: skip
_NATIVE = {
    "stacktraces": [
        {"frames": [{"instruction_addr": "0x10", "package": "/a", "trust": "scan"}], "registers": {"rip": 1}}
    ],
    "modules": [{"type": "elf", "image_addr": "0x0", "image_size": 256, "debug_id": "ab" * 16, "code_file": "/a"}],
    "options": {"dif_candidates": True},
    "signal": 11,
    "sources": [],
}
_JAVASCRIPT = {
    "source": {"type": "sentry", "url": "https://h/", "token": "t"}, "platform": "node", "release": "1", "dist": "2",
    "stacktraces": [{"frames": [{"abs_path": "a.js", "lineno": 1, "colno": 2, "data": {}, "in_app": True}]}],
    "modules": [{"type": "sourcemap", "code_file": "a.js", "debug_id": "ab" * 16}],
    "scraping": {"enabled": True, "headers": {}, "allowed_origins": ["*"]}, "options": {"apply_source_context": True},
}  # fmt: skip
_JVM = {
    "sources": [], "platform": "java", "exceptions": [{"type": "E", "module": "a"}], "classes": ["a.b"],
    "stacktraces": [{"frames": [{"function": "f", "module": "a", "index": 0, "lineno": 1, "signature": "()V"}]}],
    "modules": [{"uuid": "26f1d9c2-43ae-4f5f-9a0a-0b1f3f6f7a11", "type": "proguard"}], "options": {},
}  # fmt: skip
_PATHS = (
    "a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.pdb\nntdll.dll/5A0C5D3C1E0000/ntdll.dll\n"
    ".build-id/ab/cdef0123456789abcdef0123456789abcdef01.debug\nbuildid/abcdef0123456789/source/usr/src/a.c\n"
    "26f1/d9c2/43ae/4f5f/9a0a/0b1f3f6f7a11.app\nab/cdef/debuginfo\nx.so/elf-buildid-abcdef/x.so"
)  # fmt: skip


def _fields(*values: object) -> list[bytes]:
    """Every key and short text of some values, to change others by."""
    found: dict[bytes, None] = {}
    left = list(values)
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str) and len(value) < 40:
            found[value.encode()] = None
    return list(found)


def _paths(data: bytes) -> None:
    for path in data.decode("utf-8", "replace").split("\n")[:50]:
        for reading in read(path):
            str(reading.wanted)
        str(read_source(path))


def _target(name: str, sample: object, check: Callable[[bytes], object], *refusals: type[Exception]) -> Target:
    seeds = json.dumps(sample).encode()
    return Target(name, lambda: [seeds], check, refusals, shape=Shape.JSON, words=_fields(sample), runs=500)


def _sources(data: bytes) -> None:
    for operator in (False, True):
        for config in decode_sources(data, operator=operator):
            repr(config)


_REFUSALS = (BadJson, BadSchema)

TARGETS = (
    _target("native request", _NATIVE, decode_request, *_REFUSALS),
    _target("javascript request", _JAVASCRIPT, lambda data: decode_js_request(data, stored=True), *_REFUSALS),
    _target("jvm request", _JVM, lambda data: decode_jvm_request(data, stored=True), *_REFUSALS),
    _target("sources", _SOURCES, _sources, BadSource),
    Target("symbol server path", lambda: [_PATHS.encode()], _paths, shape=Shape.LINES, words=(b"/", b".debug", b".pdb",
           b"buildid", b"source", b"..", b"%2f", b"elf-buildid-", b"0" * 40), runs=300),
)  # fmt: skip
