"""Archives of uploads, each read to its end within tight bounds."""

from __future__ import annotations

from debugfiles.archives import ArchiveRefused, Bounds, Candidate, members
from engine.formats.bytewise import FormatError
from fuzz.seeds import corpus, files
from fuzz.target import Target
from fuzz.targets.places import on_disk
from tests.debugfiles.archives.test_hostile import SAMPLES

_BOUNDS = Bounds(total=4 << 20, floor=1 << 20, ratio=50, entries=2000, seconds=60)
_MAGICS = (
    b"PK\3\4",
    b"PK\1\2",
    b"PK\5\6",
    b"7z\xbc\xaf\x27\x1c\0\4",
    b"MSCF\0\0\0\0",
    b"070701",
    b"070707",
    b"!<arch>\n",
    b"\x1f\x8b\x08",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"ustar",
    b"../x",
    b"TRAILER!!!",
)


def _read(data: bytes) -> None:
    """Members have names that lead nowhere else, and all of them together stay within the bound."""
    total = 0
    for member in members(on_disk(data), "archive", _BOUNDS):
        if isinstance(member, Candidate):
            assert ".." not in member.name.split("/")
            assert not member.name.startswith("/")
            try:
                for piece in member.pieces:
                    total += len(piece)
            except FormatError:
                continue
    assert total <= (_BOUNDS.total + (1 << 20))


def _of(*suffixes: str) -> list[bytes]:
    names = [name for name in SAMPLES if name.endswith(suffixes)]
    patterns = tuple(f"archives/*{suffix}" for suffix in suffixes)
    return [*(SAMPLES[name] for name in names), *files(*patterns, most=16 << 10), *corpus("archive")]


def _target(name: str, *suffixes: str, runs: int = 200) -> Target:
    return Target(f"archive: {name}", lambda: _of(*suffixes), _read, (ArchiveRefused,), words=_MAGICS, runs=runs)


TARGETS = (
    _target("zip", "zip"),
    _target("tar", "tar", "gz", "xz", "lzma"),
    _target("cpio", "cpio"),
    _target("ar", "ar"),
    _target("7z", "7z"),
    _target("cab", "cab", "sy_"),
)
