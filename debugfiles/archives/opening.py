"""Which reader takes a file: told by its first bytes, through one layer of packing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Final

from debugfiles.archives import ar
from debugfiles.archives.ar import ar_entries
from debugfiles.archives.cab import read_cab
from debugfiles.archives.cpio import cpio_entries, is_cpio
from debugfiles.archives.entries import Entry, Metered, Reader
from debugfiles.archives.packing import Packing, packing_of
from debugfiles.archives.sevenzip import MAGIC as SEVENZIP
from debugfiles.archives.sevenzip import read_7z
from debugfiles.archives.streams import ByteStream, sliced
from debugfiles.archives.tar import BLOCK, is_tar, tar_entries
from debugfiles.archives.zip import read_zip

HEAD_BYTES: Final = BLOCK
_SEEKING: Final[Mapping[bytes, tuple[str, Reader]]] = MappingProxyType(
    {
        b"PK\3\4": ("zip", read_zip),
        b"PK\5\6": ("zip", read_zip),
        b"PK\6\6": ("zip", read_zip),
        SEVENZIP: ("7z", read_7z),
        b"MSCF": ("cab", read_cab),
    }
)
_UNREADABLE: Final = MappingProxyType(
    {
        b"Rar!\x1a\x07": "RAR",
        b"xar!": "xar",
        b"\x1f\x9d": "compress (.Z)",
        b"\x1f\xa0": "compress (.Z)",
        b"LZIP": "lzip",
        b"\x04\x22\x4d\x18": "LZ4",
        b"MSWIM\0\0\0": "WIM",
        b"#mtree": "mtree",
        b"!<thin>\n": "a thin ar archive",
        b"PK\7\x08": "a ZIP archive in several parts",
        b"ISc(": "InstallShield",
    }
)
READABLE: Final = "ZIP, tar (also with gzip, bzip2, xz, lzma or Zstandard), 7z, cab, cpio and ar"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file turned out to be: an archive's entries, or one packed file as the only entry."""

    format: str
    entries: Iterator[Entry]
    single: bool = False


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with `head` (512 bytes) is an archive, or packed: nothing to be taken as it is."""
    return archive_name(head) is not None or packing_of(head) is not None


def archive_name(head: bytes) -> str | None:
    """What kind of archive a file is that begins with `head` (512 bytes), readable or not; None when it is none."""
    for magic, (name, _) in _SEEKING.items():
        if head.startswith(magic):
            return name
    if is_tar(head):
        return "tar"
    if is_cpio(head):
        return "cpio"
    return "ar" if head.startswith(ar.MAGIC) else unreadable(head)


def unreadable(head: bytes) -> str | None:
    """The name of a kind of archive that nothing here reads, by its first bytes."""
    if head[2:5] == b"-lh" and head[6:7] == b"-":
        return "LHA"
    return next((name for magic, name in _UNREADABLE.items() if head.startswith(magic)), None)


def open_archive(data: memoryview, name: str, metered: Metered) -> Opened | None:
    """The archive that `data` holds, None when it holds none; `name` is that of the file.

    `metered` is put around everything that is unpacked before an archive's own headers. Raises FormatError.
    """
    head = bytes(data[:HEAD_BYTES])
    for magic, (kind, reader) in _SEEKING.items():
        if head.startswith(magic):
            return Opened(kind, reader(data, metered))
    packing = packing_of(head)
    if packing is None:
        return _streamed(head, sliced(data))
    return _packed(packing, metered(packing.unpacked(sliced(data))), name)


def _packed(packing: Packing, pieces: Iterator[bytes], name: str) -> Opened:
    stream = ByteStream(pieces)
    head = stream.up_to(HEAD_BYTES)
    inside = _streamed(head, chain([head], rest_of(stream)))
    if inside is not None:
        return Opened(f"{inside.format}, {packing.name}", inside.entries)
    entry = Entry(plain_name(packing, name), content=chain([head], rest_of(stream)))
    return Opened(packing.name, iter([entry]), single=True)


def plain_name(packing: Packing, name: str) -> str:
    """A packed file's name without what its packing added."""
    found = next((suffix for suffix in packing.suffixes if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(found)] or name


def rest_of(stream: ByteStream) -> Iterator[bytes]:
    """What is left of a stream."""
    while piece := stream.some(1 << 18):
        yield piece


def _streamed(head: bytes, pieces: Iterator[bytes]) -> Opened | None:
    if is_tar(head):
        return Opened("tar", tar_entries(ByteStream(pieces)))
    if is_cpio(head):
        return Opened("cpio", cpio_entries(ByteStream(pieces)))
    if head.startswith(ar.MAGIC):
        return Opened("ar", ar_entries(ByteStream(pieces)))
    return None
