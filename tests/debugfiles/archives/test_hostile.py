"""Archives that mean harm: names that lead elsewhere, links, bombs, broken ones."""

from __future__ import annotations

import gzip
import lzma
import os
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from contextlib import suppress

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from debugfiles.archives import ArchiveRefused, Bounds
from tests.debugfiles.archives.building import FIXTURES, ar, cpio, directory_of, read, tarred, zipped

GOOD = {"good.sym": b"MODULE Linux x86_64 0 good\n"}
TIGHT = Bounds(total=8 << 20, floor=4 << 20, ratio=10)


@pytest.fixture
def archive(tmp_path):
    def write(content: bytes):
        path = tmp_path / "archive"
        path.write_bytes(content)
        return path

    return write


BAD_NAMES = {
    "../../etc/passwd": "leads out",
    "a/../../x": "leads out",
    "..": "leads out",
    "..\\..\\windows\\x.dll": "leads out",
    "/etc/passwd": "absolute",
    "\\\\server\\share\\x": "absolute",
    "C:\\windows\\x.dll": "absolute",
    "c:x": "absolute",
}


@pytest.mark.parametrize(
    "build", [zipped, lambda files: tarred(files.items()), cpio, ar], ids=["zip", "tar", "cpio", "ar"]
)
def test_names_that_lead_elsewhere_are_refused_one_by_one(archive, build):
    bad = dict.fromkeys(BAD_NAMES, b"MODULE x")
    taken, refused = read(archive(build({**bad, **GOOD})))
    assert taken == GOOD
    assert {name: BAD_NAMES[name] in reason for name, reason in refused.items()} == dict.fromkeys(BAD_NAMES, True)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "link"), (tarfile.CHRTYPE, "device"), (tarfile.BLKTYPE, "device"),
     (tarfile.FIFOTYPE, "device")],
)  # fmt: skip
def test_links_and_devices_in_tar(archive, kind, reason):
    def change(facts: tarfile.TarInfo) -> None:
        if facts.name == "odd":
            facts.type, facts.linkname = kind, "/etc/passwd"

    taken, refused = read(archive(tarred([("odd", b""), *GOOD.items()], change)))
    assert taken == GOOD
    assert reason in refused["odd"]


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_in_zip_and_cpio(archive, mode):
    def change(facts: zipfile.ZipInfo) -> None:
        facts.external_attr = (mode | 0o777) << 16 if facts.filename == "odd" else 0

    for content in (zipped({"odd": b"/etc/passwd", **GOOD}, change), cpio({"odd": b"/etc", **GOOD}, {"odd": mode})):
        taken, refused = read(archive(content))
        assert taken == GOOD
        assert list(refused) == ["odd"]


def test_an_archive_within_an_archive_is_refused(archive):
    inner = {
        "a.zip": zipped(GOOD),
        "b.tar": tarred(GOOD.items()),
        "c.tar.gz": gzip.compress(tarred(GOOD.items())),
        "d.gz.gz": gzip.compress(gzip.compress(b"MODULE x")),
        "e.7z": (FIXTURES / "lzma2.7z").read_bytes(),
        "f.cab": (FIXTURES / "mszip.cab").read_bytes(),
        "g.a": ar(GOOD),
        "h.rar": b"Rar!\x1a\x07\x01\0",
    }
    taken, refused = read(archive(zipped({**inner, **GOOD})))
    assert taken == GOOD
    assert {name[0] for name in refused} == {name[0] for name in inner}
    assert all("within" in reason for reason in refused.values())


ZEROS = b"\0" * (64 << 20)


def _zip_bomb() -> bytes:
    return zipped({"bomb": ZEROS})


def _overlapping() -> bytes:
    """Every entry of the directory is the same member: 42 MB each out of 41 KB."""
    content = zipped({"bomb": b"\0" * (2 << 20)})
    at = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    listed = content[at:end] * 1000
    return content[:at] + listed + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1000, 1000, len(listed), at, 0)


BOMBS = {
    "zip": _zip_bomb,
    "overlapping": _overlapping,
    "tar.gz": lambda: gzip.compress(tarred([("bomb", ZEROS)])),
    "tar.xz": lambda: lzma.compress(tarred([("bomb", ZEROS)])),
    "gz": lambda: gzip.compress(ZEROS),
    "zst": lambda: zstd.compress(ZEROS),
    "gz in zip": lambda: zipped({"x.gz": gzip.compress(ZEROS)}),
    "many members": lambda: gzip.compress(tarred((f"m{number}", b"\0" * 5000) for number in range(2000))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_at_the_bound_and_within_bounded_memory(archive, name):
    path = archive(BOMBS[name]())
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused, match="unpacks to more than"):
            for _ in _drained(path):
                pass
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


def _drained(path):
    from debugfiles.archives import members

    for member in members(path, "bomb", TIGHT):
        for _ in getattr(member, "pieces", ()):
            yield


def test_more_entries_than_allowed(archive):
    few = Bounds(total=1 << 30, entries=1000)
    for content in (directory_of(1001), gzip.compress(tarred((f"d{n}/", b"") for n in range(1001)))):
        with pytest.raises(ArchiveRefused, match="more than 1000 entries"):
            read(archive(content), bounds=few)


def test_a_directory_beyond_a_million_entries_is_refused_before_it_is_read(archive):
    with pytest.raises(ArchiveRefused, match="too many files"):
        read(archive(directory_of(1_000_001)))


@pytest.mark.skipif("SYMBOLSVC_FUZZ_SECONDS" not in os.environ, reason="takes a minute; set SYMBOLSVC_FUZZ_SECONDS")
def test_a_million_entries_take_bounded_memory(archive):
    path = archive(directory_of(1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused, match="files to look into"):
            for _ in _drained_freely(path):
                pass
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def _drained_freely(path):
    from debugfiles.archives import members

    yield from members(path, "many", Bounds(total=1 << 30))


@pytest.mark.parametrize("properties", [8 + 9, 7 + 4 * 9 + 2 * 45, 3 + 2 * 9], ids=str)
def test_properties_of_lzma_that_no_library_takes(archive, properties):
    content = bytearray((FIXTURES / "lzma.zip").read_bytes())
    at = content.index(b"\x05\0\x5d") + 2
    content[at] = properties
    taken, refused = read_members_apart(archive(bytes(content)))
    assert "libledger.so" not in taken
    assert "not valid" in refused["libledger.so"]


def test_time_is_bounded(archive):
    with pytest.raises(ArchiveRefused, match="takes more than"):
        read(archive(gzip.compress(tarred(GOOD.items()))), bounds=Bounds(total=1 << 20, seconds=-1))


def test_sizes_that_are_not_true(archive):
    content = bytearray(zipped({"a.sym": b"MODULE " * 100, **GOOD}))
    at = content.index(b"PK\1\2")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    taken, refused = read_members_apart(archive(bytes(content)))
    assert taken == GOOD
    assert "larger than its directory says" in refused["a.sym"]


def test_a_checksum_that_is_not_true(archive):
    content = bytearray(zipped({"a.sym": b"MODULE " * 100, **GOOD}))
    at = content.index(b"PK\1\2")
    content[at + 16] ^= 1
    taken, refused = read_members_apart(archive(bytes(content)))
    assert taken == GOOD
    assert "checksum" in refused["a.sym"]


def read_members_apart(path):
    """As `read`, for archives one of whose members breaks while it is read."""
    from debugfiles.archives import Refused, members
    from engine.formats.bytewise import FormatError

    taken, refused = {}, {}
    for member in members(path, "x", Bounds(total=1 << 30)):
        try:
            if isinstance(member, Refused):
                refused[member.name] = member.reason
            else:
                taken[member.name] = b"".join(member.pieces)
        except FormatError as error:
            refused[member.name] = error.details
    return taken, refused


SAMPLES = {
    "zip": zipped({"a/b.sym": b"MODULE " * 50, "c": os.urandom(300)}),
    "tar": tarred([("a/b.sym", b"MODULE " * 50), ("d" * 150, b"x" * 700)]),
    "cpio": cpio({"a/b.sym": b"MODULE " * 50, "c": b"x" * 301}),
    "ar": ar({"long name of a member.o": b"x" * 31, "c": b"y"}),
    "gz": gzip.compress(tarred([("a", b"x" * 3000)])),
    "xz": lzma.compress(tarred([("a", b"x" * 3000)])),
    **{name: (FIXTURES / name).read_bytes() for name in ("lzma2.7z", "bcj-lzma.7z", "mszip.cab", "bcj2.7z", "xz.zip")},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_an_archive_cut_anywhere_is_refused_or_read_in_part(tmp_path, name):
    content = SAMPLES[name]
    path = tmp_path / "cut"
    for end in sorted({*range(0, len(content), max(len(content) // 60, 1)), len(content) - 1}):
        path.write_bytes(content[:end])
        survives(path)


@settings(max_examples=150)
@given(data=st.data(), name=st.sampled_from(sorted(SAMPLES)))
def test_a_damaged_archive_is_refused_or_read_in_part(tmp_path_factory, data, name):
    content = bytearray(SAMPLES[name])
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(content))
    survives(path)


MAGICS = [b"", b"PK\3\4", b"7z\xbc\xaf\x27\x1c\0\4", b"MSCF\0\0\0\0", b"070707", b"070701", b"!<arch>\n"]


@settings(max_examples=100)
@given(st.sampled_from(MAGICS), st.binary(max_size=400))
def test_anything_at_all(tmp_path_factory, magic, content):
    path = tmp_path_factory.getbasetemp() / "anything"
    path.write_bytes(magic + content)
    survives(path)


def survives(path) -> None:
    """Reading raises nothing but refusals."""
    with suppress(ArchiveRefused):
        read_members_apart(path)


def test_a_tar_with_huge_headers_takes_no_memory(archive):
    def change(facts: tarfile.TarInfo) -> None:
        facts.pax_headers = {"comment": "x" * (2 << 20)}

    with pytest.raises(ArchiveRefused, match="too large"):
        read(archive(tarred(GOOD.items(), change)))


def test_random_bytes_after_the_end_change_nothing(archive):
    assert read(archive(tarred(GOOD.items()) + random.Random(3).randbytes(3000)))[0] == GOOD
