from __future__ import annotations

import io
import zipfile

import pytest

from engine.formats import source_bundle as module
from engine.formats.bytewise import FormatError
from engine.formats.packed.zip import ZipArchive
from engine.formats.source_bundle import BundledSource, SourceBundle
from tests.engine.formats import builders

MANIFEST = {
    "files": {
        "files/0": {"type": "source", "path": r"C:\src\main.cpp", "url": "https://h/main.cpp", "headers": {"a": "b"}},
        "files/1": {"type": "source", "path": "/src/lib.c"},
        "files/2": {"type": "minified_source", "path": "/src/app.min.js", "url": "~/app.min.js"},
        "files/3": {"path": "/src/untyped.c"},
    },
    "debug_id": "3249d99d-0c40-4931-8610-f4e4fb0b6936-1",
    "arch": "x86_64",
    "object_name": "crash",
    "source_links": {"/remote/*": "https://h/remote/*", "/src/lib.c": "https://h/lib.c"},
}
FILES = {f"files/{number}": f"text {number}\n".encode() for number in range(4)}


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def bundle(request: pytest.FixtureRequest) -> SourceBundle:
    return SourceBundle(builders.source_bundle(MANIFEST, FILES, method=request.param))


@pytest.mark.parametrize("path", [r"C:\src\main.cpp", "C:/src/main.cpp", r"C:/src\main.cpp"])
def test_a_file_is_found_whichever_way_slashes_lean(bundle: SourceBundle, path: str):
    assert bundle.find(path) == BundledSource(b"text 0\n", "https://h/main.cpp")


def test_a_source_link_gives_the_url_that_the_manifest_lacks(bundle: SourceBundle):
    assert bundle.find("/src/lib.c") == BundledSource(b"text 1\n", "https://h/lib.c")
    assert bundle.find("/remote/x/y.c") == BundledSource(None, "https://h/remote/x/y.c")


@pytest.mark.parametrize("path", ["c:/src/main.cpp", "main.cpp", "/src/app.min.js", "files/1", ""])
def test_other_paths_are_not_found(bundle: SourceBundle, path: str):
    assert bundle.find(path) is None


def test_files_without_a_type_are_sources(bundle: SourceBundle):
    assert bundle.find("/src/untyped.c") == BundledSource(b"text 3\n", None)


def test_the_manifest_tells_the_debug_id(bundle: SourceBundle):
    assert str(bundle.debug_id) == MANIFEST["debug_id"]
    assert bundle.version == 2
    assert bundle.has_sources


def test_offsets_may_count_from_the_start_of_the_file():
    """Python's writer counts from where the file begins when it appends, and so do Sentry's tools."""
    target = io.BytesIO(b"SYSB\2\0\0\0")
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("manifest.json", b'{"files":{"a":{"path":"/a.c"}}}')
        archive.writestr("a", b"text")
    assert SourceBundle(target.getvalue()).find("/a.c") == BundledSource(b"text", None)


def test_a_bundle_without_files_has_no_sources():
    assert not SourceBundle(builders.source_bundle({}, {})).has_sources


def test_a_file_that_the_archive_lacks_is_malformed():
    with pytest.raises(FormatError, match="lacks a file"):
        SourceBundle(builders.source_bundle(MANIFEST, {})).find("/src/lib.c")


def test_a_file_that_inflates_beyond_the_limit_is_malformed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_SOURCE_BYTES", 1 << 20)
    bomb = builders.source_bundle(MANIFEST, {"files/1": b"\0" * ((1 << 20) + 1)})
    assert len(bomb) < 10_000
    with pytest.raises(FormatError, match="more than 1048576 bytes"):
        SourceBundle(bomb).find("/src/lib.c")


def test_a_size_that_lies_does_not_inflate_further():
    """The directory says 4 bytes, the data holds megabytes: reading stops at the first piece too many."""
    archive = bytearray(builders.zipped({"a": b"\0" * (64 << 20)}))
    entry = archive.rfind(b"PK\1\2")
    archive[entry + 24 : entry + 28] = (4).to_bytes(4, "little")
    reader = ZipArchive(archive)
    with pytest.raises(FormatError, match="larger than its directory says"):
        reader.read(reader.members["a"], max_bytes=100)


@pytest.mark.parametrize(
    "manifest",
    [[], {"files": []}, {"files": {"a": 1}}, {"files": {"a": {"path": 1}}}, {"source_links": {"a": 1}}, None],
)
def test_a_manifest_of_another_shape_is_malformed(manifest: object):
    with pytest.raises(FormatError, match="manifest"):
        SourceBundle(builders.source_bundle(manifest, {}))


def test_a_debug_id_that_is_none_is_ignored():
    assert SourceBundle(builders.source_bundle({"debug_id": 7}, {})).debug_id is None


@pytest.mark.parametrize("data", [b"", b"SYS", b"SYSB", b"SYSB\2\0\0\0", builders.zipped({"manifest.json": b"{}"})])
def test_what_is_no_bundle_is_malformed(data: bytes):
    with pytest.raises(FormatError):
        SourceBundle(data)


def test_a_bundle_without_manifest_is_malformed():
    with pytest.raises(FormatError, match="no manifest"):
        SourceBundle(b"SYSB\2\0\0\0" + builders.zipped({"a": b""}))
