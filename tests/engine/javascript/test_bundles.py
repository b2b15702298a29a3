"""Artifact bundles: what is found in them by URL and by debug id, and bundles that are broken."""

from __future__ import annotations

import json
import struct
import time

import pytest

from engine.formats.bytewise import FormatError
from engine.javascript import bundles as module
from engine.javascript.artifacts import Kind
from engine.javascript.bundles import ArtifactBundle
from engine.modules import DebugId
from tests.engine.formats.builders import zipped
from tests.engine.javascript.serving import bundle

ID = DebugId.parse("85314830-023f-4cf1-a267-535f4e37bb17")
FILES = {
    "_/_/a.js": ({"type": "minified_source", "url": "~/a.js", "headers": {"Debug-Id": str(ID).upper()}}, b"script"),
    "_/_/a.js.map": ({"type": "source_map", "url": "~/a.js.map", "headers": {"debug-id": str(ID)}}, b"map"),
    "_/_/b.js": ({"type": "minified_source", "url": "~/b.js"}, b"other"),
    "c": ({"url": "~/c.js", "headers": {"debug-id": str(ID)}}, b"untyped"),
    "d": ({"type": "indexed_ram_bundle", "url": "~/d.js"}, b"unknown"),
}


@pytest.fixture(params=[True, False], ids=["with a version", "without"])
def opened(request):
    return ArtifactBundle(memoryview(bundle(FILES, versioned=request.param, release="1", dist=None, debug_id=7)))


@pytest.mark.parametrize(("kind", "content"), [(Kind.MINIFIED_SOURCE, b"script"), (Kind.SOURCE_MAP, b"map")])
def test_a_debug_id_finds_the_file_of_a_kind(opened, kind, content):
    found = opened.find_id(ID, kind)
    assert opened.content(found, max_bytes=10) == content


def test_a_debug_id_finds_no_file_without_a_type(opened):
    assert opened.find_id(ID, Kind.SOURCE) is None


def test_urls_find_files_exactly(opened):
    assert opened.content(opened.find_url("~/b.js"), max_bytes=10) == b"other"
    assert opened.find_url("~/B.js") is None
    assert opened.find_url("_/_/b.js") is None


def test_files_without_a_type_are_sources_and_those_of_other_types_are_nothing(opened):
    assert opened.find_url("~/c.js").kind is Kind.SOURCE
    assert opened.find_url("~/d.js").kind is None


def test_header_names_are_lower_case(opened):
    assert opened.find_url("~/a.js").headers == {"debug-id": str(ID).upper()}


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {"files": []},
        {"files": {"a": 1}},
        {"files": {"a": {"url": 1}}},
        {"files": {"a": {"headers": {"x": 1}}}},
        None,
    ],
)
def test_a_manifest_of_another_shape_is_malformed(manifest):
    content = b"SYSB" + struct.pack("<I", 2) + zipped({"manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(FormatError, match="manifest"):
        ArtifactBundle(memoryview(content))


@pytest.mark.parametrize(
    "content", [b"", b"SYSB", b"SYSB\2\0\0\0PK", zipped({"manifest.json": b"{}"}), b"SYSB" + zipped({})]
)
def test_what_is_no_bundle_is_malformed(content):
    with pytest.raises(FormatError):
        ArtifactBundle(memoryview(content))


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 100_000, "{}".encode("utf-16"), b"\xef\xbb\xbf{}"])
def test_a_manifest_that_is_no_json_is_malformed(text):
    with pytest.raises(FormatError, match="manifest"):
        ArtifactBundle(memoryview(b"SYSB" + zipped({"manifest.json": text})))


def test_a_file_that_the_archive_lacks_is_malformed():
    content = b"SYSB" + zipped({"manifest.json": b'{"files":{"a":{"url":"~/a.js"}}}'})
    opened = ArtifactBundle(memoryview(content))
    with pytest.raises(FormatError, match="lacks"):
        opened.content(opened.find_url("~/a.js"), max_bytes=10)


def test_a_bomb_stays_packed():
    content = bundle({"a": ({"type": "source_map", "url": "~/a"}, b"\0" * (32 << 20))})
    assert len(content) < 100_000
    opened = ArtifactBundle(memoryview(content))
    with pytest.raises(FormatError, match="more than"):
        opened.content(opened.find_url("~/a"), max_bytes=1 << 20)


def test_a_manifest_that_is_a_bomb_stays_packed(monkeypatch):
    monkeypatch.setattr(module, "MAX_MANIFEST_BYTES", 1 << 16)
    with pytest.raises(FormatError, match="more than"):
        ArtifactBundle(memoryview(b"SYSB" + zipped({"manifest.json": b" " * (1 << 20)})))


def test_a_hundred_thousand_files_are_indexed_in_seconds():
    files = {f"f/{number}": ({"type": "source", "url": f"~/{number}.js"}, b"x") for number in range(100_000)}
    content = memoryview(bundle(files, method=0))
    began = time.process_time()
    opened = ArtifactBundle(content)
    assert time.process_time() - began < 8
    assert opened.content(opened.find_url("~/99999.js"), max_bytes=1) == b"x"
    assert opened.memory < 150 << 20


def test_more_files_than_that_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 4)
    with pytest.raises(FormatError, match="more than 4 files"):
        ArtifactBundle(memoryview(bundle(FILES)))
