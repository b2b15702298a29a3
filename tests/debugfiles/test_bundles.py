"""Reading bundles: what is indexed, and what broken or hostile ones cost."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugfiles import bundles
from debugfiles.bundles import file_name, read_bundle, text_key
from debugfiles.models import ArtifactEntry
from engine.formats.bytewise import FormatError
from tests.debugfiles.uploading import APP, DEBUG_ID, bundle_of, upload_bundle


@pytest.fixture
def read(tmp_path):
    def reading(content):
        path = tmp_path / "bundle"
        path.write_bytes(content)
        return read_bundle(path)

    return reading


def zipped(manifest, **members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest)
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("sysb", [True, False])
def test_a_bundle_says_what_it_holds(read, sysb):
    found = read(bundle_of(APP, sysb=sysb, release="1.0", dist="7", debug_id=DEBUG_ID, project=None, org=5))

    assert (found.release, found.dist, found.bundle_id) == ("1.0", "7", DEBUG_ID)
    assert [(str(entry.debug_id), entry.kind, entry.url) for entry in found.entries] == [
        (DEBUG_ID, "minified_source", "~/app.min.js"),
        (DEBUG_ID, "source_map", "~/app.js.map"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "directory"),
        (b"SYSB\2\0\0\0", "directory"),
        (zipped("{}"), "lists no files"),
        (zipped("[]"), "manifest.json is not valid"),
        (zipped("[" * 100_000), "manifest.json is not valid"),
        (zipped(b"\xff\xfe"), "manifest.json is not valid"),
        (zipped(json.dumps({"files": {"a.js": {}}})), "lists `a.js`, which is not in it"),
        (zipped(json.dumps({"files": {"a": {"url": "x" * 9000}}}), a=""), "URL of `a` is too long"),
        (zipped(json.dumps({"files": {"a": {}}, "release": "x" * 300}), a=""), "its release"),
        (zipped(json.dumps({"files": {"a": {"headers": {"b": 1}}}}), a=""), "manifest.json is not valid"),
    ],
)
def test_a_broken_bundle_is_refused_with_the_reason(read, content, reason):
    with pytest.raises(FormatError) as refusal:
        read(content)
    assert reason in refusal.value.details


def test_a_bundle_without_a_manifest_is_refused(read):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.js", "x")
    with pytest.raises(FormatError, match="no manifest.json"):
        read(made.getvalue())


def test_a_manifest_that_unpacks_to_gigabytes_is_not_unpacked(read, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_MANIFEST_BYTES", 1 << 20)
    bomb = zipped(b" " * (64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than"):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_members_are_not_unpacked_to_index_them(read):
    files = {"files": {"big.js": {"url": "~/big.js", "type": "minified_source"}}}
    bomb = zipped(json.dumps(files), **{"big.js": b"\0" * (128 << 20)})
    tracemalloc.start()
    try:
        assert len(read(bomb).entries) == 1
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.django_db
def test_thousands_of_files_are_indexed_and_one_too_many_refused(acme_project, read, monkeypatch):
    names = [f"{number}.js" for number in range(3_000)]
    manifest = {"files": {name: {"url": f"~/{name}", "type": "source"} for name in names}}
    content = zipped(json.dumps(manifest), **dict.fromkeys(names, b""))
    began = time.monotonic()

    assert upload_bundle(acme_project, content, "1.0").file_count == len(names)

    assert ArtifactEntry.objects.count() == len(names)
    assert time.monotonic() - began < 30
    monkeypatch.setattr(bundles, "MAX_FILES", len(names) - 1)
    with pytest.raises(FormatError, match="more than"):
        read(content)


@pytest.mark.parametrize(
    ("url", "name"),
    [("~/a/b.js", "b.js"), ("https://h/a.js?x=/y", "a.js"), ("a.js#/z", "a.js"), ("~/", ""), ("", "")],
)
def test_the_name_of_a_file_is_the_end_of_its_path(url, name):
    assert file_name(url) == name


@given(st.text(), st.text())
def test_two_texts_have_one_key_only_when_they_are_one(first, second):
    assert (text_key(first) == text_key(second)) == (first == second)


@settings(max_examples=50)
@given(data=st.data())
def test_a_damaged_bundle_is_read_or_refused(tmp_path_factory, data):
    content = bytearray(bundle_of(APP))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    try:
        read_bundle(path)
    except FormatError as refusal:
        assert refusal.details  # noqa: PT017 - either outcome is right
