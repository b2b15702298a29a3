"""Archives of every kind, made by the tools that people have."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile

import pytest
from backports import zstd

from debugfiles.archives import ArchiveRefused, is_archive, unreadable
from tests.debugfiles.archives.building import FIXTURES, ar, cpio, digest, read, tarred, zipped
from tests.debugfiles.uploading import LEDGER
from tests.engine.shared_fixtures import shared

FILES = {"a/libledger.so": LEDGER.read_bytes(), "b/text.sym": b"MODULE Linux x86_64 0 a\n" * 1000, "c/x": b"\0"}
CAPTURED = ("zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "7z", "cpio")


@pytest.mark.parametrize("suffix", CAPTURED)
def test_every_captured_archive_holds_the_same_files(suffix):
    whole = shared("fixtures/captures/symbol_archives/symbols.tar")
    with tarfile.open(whole) as archive:
        expected = {member.name: archive.extractfile(member).read() for member in archive}

    taken, refused = read(whole.with_name(f"symbols.{suffix}"))
    assert taken == expected
    assert refused == {}


@pytest.mark.parametrize(
    "name",
    ["bcj-lzma.7z", "lzma2.7z", "delta-lzma2.7z", "deflate.7z", "bzip2.7z", "copy.7z", "bzip2.zip", "lzma.zip",
     "xz.zip", "stored.cab", "mszip.cab", "old.tar.lzma"],
)  # fmt: skip
def test_other_tools_ways_of_packing(name):
    taken, refused = read(FIXTURES / name)
    short = {path.removeprefix("./"): len(content) for path, content in taken.items()}
    assert short == {"libledger.so": 14512, "libledger.so.sym": 4250}
    assert digest(taken[next(path for path in taken if path.endswith(".so"))]) == digest(_stripped())
    assert refused == {}


def _stripped() -> bytes:
    return read(FIXTURES / "copy.7z")[0]["libledger.so"]


PACKED = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd.compress}


@pytest.mark.parametrize("packing", ["", *PACKED])
@pytest.mark.parametrize("kind", ["tar", "cpio", "ar"])
def test_archives_that_come_as_streams(tmp_path, kind, packing):
    content = {"tar": tarred(FILES.items()), "cpio": cpio(FILES), "ar": ar(FILES)}[kind]
    path = tmp_path / "archive"
    path.write_bytes(PACKED[packing](content) if packing else content)
    assert read(path) == (FILES, {})


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_names_beyond_ascii_in_tar(tmp_path, format_):
    long = ("directory/" * 12 + "x" * 90) if format_ != tarfile.USTAR_FORMAT else "d" * 100 + "/" + "x" * 90
    files = {long: b"long", "früh.sym": b"other", "last": b"third"}
    path = tmp_path / "archive"
    path.write_bytes(tarred(files.items(), format_=format_))
    assert read(path)[0] == files


def test_one_packed_file_is_taken_under_its_own_name(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(FILES["b/text.sym"][:500]) + gzip.compress(FILES["b/text.sym"][500:]))
    assert read(path, "text.sym.gz") == ({"text.sym": FILES["b/text.sym"]}, {})


@pytest.mark.parametrize("suffix", PACKED)
def test_one_layer_of_packing_comes_off_every_member(tmp_path, suffix):
    path = tmp_path / "x"
    path.write_bytes(zipped({f"text.sym.{suffix}": PACKED[suffix](FILES["b/text.sym"])}))
    assert read(path) == ({"text.sym": FILES["b/text.sym"]}, {})


@pytest.mark.django_db
def test_a_cabinet_around_one_member_comes_off(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(zipped({"libledger.so.sy_": (FIXTURES / "libledger.so.sy_").read_bytes()}))
    (taken, refused) = read(path)
    assert {name: content[:6] for name, content in taken.items()} == {"libledger.so.sym": b"MODULE"}
    assert refused == {}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bcj2.7z", "BCJ2"),
        ("ppmd.7z", "PPMd"),
        ("encrypted.7z", "encrypted"),
        ("encrypted.zip", "encrypted"),
        ("deflate64.zip", "Deflate64"),
        ("sparse.tar", "sparse"),
    ],
)
def test_what_cannot_be_read_is_named_for_each_member(name, reason):
    taken, refused = read(FIXTURES / name)
    assert taken == {}
    assert refused
    assert all(reason in said for said in refused.values()), refused


@pytest.mark.parametrize(
    ("name", "reason"),
    [("encrypted-names.7z", "encrypted"), ("large-dictionary.sym.xz", "more memory than is allowed")],
)
def test_what_cannot_be_read_at_all_is_refused_as_a_whole(name, reason):
    with pytest.raises(ArchiveRefused, match=reason):
        read(FIXTURES / name)


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"Rar!\x1a\x07\x01\0", "RAR"), (b"xar!", "xar"), (b"\x1f\x9d\x90", "compress"), (b"LZIP\1", "lzip"),
     (b"\x15\0-lh5-", "LHA"), (b"PK\7\x08", "several parts")],
)  # fmt: skip
def test_kinds_that_nothing_here_reads_are_told_by_name(head, name):
    assert name in unreadable(head.ljust(512, b"\0"))


@pytest.mark.parametrize(
    "head", [b"", b"\x7fELF\2\1\1", b"MODULE Linux", b"SYSB\2\0\0\0PK\3\4", b"MZ", b"{}", b"x" * 512]
)
def test_other_files_are_no_archives(head):
    assert not is_archive(head)
    assert unreadable(head) is None
