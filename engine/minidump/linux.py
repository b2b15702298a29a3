"""What Breakpad and Crashpad copy out of /proc on Linux and Android, and the dynamic linker's list.

All of it may name people, files and secrets, so nothing of it appears in a `repr`. Texts are parsed when asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from engine.minidump.image import Image, Layout, Unreadable

CPU_INFO = 0x47670003
STATUS = 0x47670004
LSB_RELEASE = 0x47670005
COMMAND_LINE = 0x47670006
ENVIRONMENT = 0x47670007
AUXILIARY = 0x47670008
MAPS = 0x47670009
DSO_DEBUG = 0x4767000A
MAX_TEXT_BYTES = 16 << 20
MAX_LINES = 1 << 17
MAX_LIBRARIES = 1 << 16
_MAP_LINE = re.compile(
    rb"([0-9a-fA-F]{1,16})-([0-9a-fA-F]{1,16})\s+(\S{4})\s+([0-9a-fA-F]{1,16})\s+\S+\s+\d+[ \t]*(.*)"
)
_DEBUG32, _DEBUG64 = Layout("IIIIII"), Layout("III4xQQQ")
_LINK32, _LINK64 = Layout("III"), Layout("QI4xQ")
_PAIR32, _PAIR64 = Layout("II"), Layout("QQ")
_EMPTY = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Mapping:
    """A line of /proc/<pid>/maps: absolute addresses, permissions ("r-xp"), offset in the file, and the file's path."""

    start: int
    end: int
    permissions: str
    offset: int
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Library:
    """An entry of the dynamic linker's list: how far the library was moved, where its dynamic section is, its path."""

    offset: int
    dynamic: int
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinuxInfo:
    """The raw texts, as views of the dump; empty where the dump has none."""

    cpu_info: memoryview = field(default=_EMPTY, repr=False)
    status: memoryview = field(default=_EMPTY, repr=False)
    lsb_release: memoryview = field(default=_EMPTY, repr=False)
    command_line: memoryview = field(default=_EMPTY, repr=False)
    environment: memoryview = field(default=_EMPTY, repr=False)
    maps: memoryview = field(default=_EMPTY, repr=False)
    auxiliary: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    libraries: tuple[Library, ...] = field(default=(), repr=False)

    def mappings(self) -> tuple[Mapping, ...]:
        """The lines of `maps` that can be read."""
        return tuple(map(_mapping, filter(None, map(_MAP_LINE.match, _lines(self.maps, b"\n")))))

    def arguments(self) -> tuple[str, ...]:
        """The command line, split into its arguments."""
        return tuple(argument.decode("utf-8", "replace") for argument in _lines(self.command_line, b"\0"))

    def variables(self) -> dict[str, str]:
        """The environment."""
        return dict(_pairs(self.environment, b"\0", b"="))

    def status_fields(self) -> dict[str, str]:
        """/proc/<pid>/status by field."""
        return dict(_pairs(self.status, b"\n", b":"))

    def release(self) -> dict[str, str]:
        """/etc/lsb-release or os-release by key, without quotation marks."""
        return {key: value.strip("\"'") for key, value in _pairs(self.lsb_release, b"\n", b"=")}

    def processors(self) -> tuple[dict[str, str], ...]:
        """/proc/cpuinfo: the fields of each processor."""
        blocks = bytes(self.cpu_info[:MAX_TEXT_BYTES]).split(b"\n\n", MAX_LINES)
        return tuple(dict(_pairs(memoryview(block), b"\n", b":")) for block in blocks if block.strip(b"\n\0"))


def read_view(image: Image, at: int, size: int) -> memoryview:
    """A text as it is."""
    return image.piece(at, size)


def read_auxiliary(image: Image, at: int, size: int, *, narrow: bool) -> tuple[tuple[int, int], ...]:
    """The auxiliary vector: types (AT_*) and values, up to the terminating zero."""
    layout = _PAIR32 if narrow else _PAIR64
    rows = image.rows(layout, at, min(size // layout.size, MAX_LINES))
    pairs = []
    for kind, value in rows:
        if not kind:
            break
        pairs.append((kind, value))
    return tuple(pairs)


def read_libraries(image: Image, at: int, size: int, *, narrow: bool) -> tuple[Library, ...]:
    """The dynamic linker's list of libraries, the program itself first."""
    debug, link = (_DEBUG32, _LINK32) if narrow else (_DEBUG64, _LINK64)
    if size < debug.size:
        raise Unreadable("the list of shared libraries is too short")
    _, first, count, *_ = image.unpack(debug, at)
    if count > MAX_LIBRARIES:
        raise Unreadable(f"the list claims {count} shared libraries")
    rows = image.rows(link, first, count)
    return tuple(Library(offset, dynamic, image.utf16(name_at) if name_at else "") for offset, name_at, dynamic in rows)


def _lines(view: memoryview, separator: bytes) -> Iterator[bytes]:
    return islice(filter(None, bytes(view[:MAX_TEXT_BYTES]).split(separator, MAX_LINES)), MAX_LINES)


def _pairs(view: memoryview, separator: bytes, divider: bytes) -> Iterator[tuple[str, str]]:
    for line in _lines(view, separator):
        key, found, value = line.partition(divider)
        if found:
            yield _plain(key), _plain(value)


def _plain(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()


def _mapping(match: re.Match[bytes]) -> Mapping:
    start, end, permissions, offset, path = match.groups()
    text = path.decode("utf-8", "replace").strip()
    return Mapping(int(start, 16), int(end, 16), permissions.decode("ascii", "replace"), int(offset, 16), text)
