from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats.bytewise import FormatError
from engine.formats.packed import zip as module
from engine.formats.packed.zip import ZipArchive
from tests.engine.formats import builders


def written(*, force_zip64: bool = False, prefix: bytes = b"", comment: bytes = b"") -> bytes:
    target = io.BytesIO(prefix)
    target.seek(len(prefix))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        archive.writestr("folder/", b"")
        with archive.open("folder/ä.txt", "w", force_zip64=force_zip64) as member:
            member.write(b"content" * 1000)
    return target.getvalue()


@pytest.mark.parametrize("data", [written(), written(force_zip64=True), written(comment=b"PK\5" * 100)])
@pytest.mark.parametrize("prefix", [b"", b"anything before"])
def test_members_are_read_and_directories_left_out(data: bytes, prefix: bytes):
    archive = ZipArchive(prefix + data)
    assert list(archive.members) == ["folder/ä.txt"]
    assert archive.read(archive.members["folder/ä.txt"], max_bytes=7000) == b"content" * 1000


@given(st.dictionaries(st.text("abc/é", min_size=1, max_size=8), st.binary(max_size=2000), max_size=5))
def test_what_the_standard_library_writes_comes_back(files: dict[str, bytes]):
    archive = ZipArchive(builders.zipped(files))
    read = {name: archive.read(member, max_bytes=2000) for name, member in archive.members.items()}
    assert read == {name: content for name, content in files.items() if not name.endswith("/")}


def test_a_directory_in_zip64_form_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    archive = ZipArchive(b"12345678" + builders.zipped({name: name.encode() for name in "abcd"}))
    assert archive.read(archive.members["d"], max_bytes=1) == b"d"


def test_sizes_and_offsets_in_zip64_form_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 20)
    archive = ZipArchive(builders.zipped({"a": b"first" * 10, "b": b"second" * 10}, zipfile.ZIP_STORED))
    assert archive.read(archive.members["b"], max_bytes=60) == b"second" * 10


def test_content_that_was_changed_is_malformed():
    data = bytearray(builders.zipped({"a": b"content"}, zipfile.ZIP_STORED))
    data[data.find(b"content")] ^= 1
    archive = ZipArchive(data)
    with pytest.raises(FormatError, match="checksum"):
        archive.read(archive.members["a"], max_bytes=100)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_malformed(method: int):
    archive = ZipArchive(builders.zipped({"a": b"content"}, method))
    with pytest.raises(FormatError, match="not supported"):
        archive.read(archive.members["a"], max_bytes=100)


def test_an_archive_of_too_many_files_is_malformed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_MEMBERS", 3)
    with pytest.raises(FormatError):
        ZipArchive(builders.zipped(dict.fromkeys("abcd", b"")))
    assert len(ZipArchive(builders.zipped(dict.fromkeys("abc", b""))).members) == 3
