"""Fat Mach-O files: one object per architecture behind a common header.

The header is that of Apple's <mach-o/fat.h>, all numbers big-endian, with 32 or 64 bit offsets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from engine.formats.bytewise import Data, FormatError, part, viewed

_HEADER = struct.Struct(">II")
_ENTRIES = {0xCAFEBABE: struct.Struct(">IIIII"), 0xCAFEBABF: struct.Struct(">IIQQII")}
# The magic of a Java class is the same; its next number holds the version, which began at 45.
MAX_ARCHITECTURES = 44
_SUBTYPE = 0x00FFFFFF
_NAMES = {
    (0x00000007, 3): "x86",
    (0x01000007, 3): "x86_64",
    (0x01000007, 8): "x86_64h",
    (0x0000000C, 0): "arm",
    (0x0000000C, 6): "armv6",
    (0x0000000C, 9): "armv7",
    (0x0000000C, 10): "armv7f",
    (0x0000000C, 11): "armv7s",
    (0x0000000C, 12): "armv7k",
    (0x0000000C, 14): "armv6m",
    (0x0000000C, 15): "armv7m",
    (0x0000000C, 16): "armv7em",
    (0x0100000C, 0): "arm64",
    (0x0100000C, 1): "arm64v8",
    (0x0100000C, 2): "arm64e",
    (0x0200000C, 0): "arm64_32",
    (0x0200000C, 1): "arm64_32_v8",
    (0x00000012, 0): "ppc",
    (0x01000012, 0): "ppc64",
}
_OTHERS_OF = {
    0x00000007: "x86_unknown",
    0x01000007: "x86_64_unknown",
    0x0000000C: "arm_unknown",
    0x0100000C: "arm64_unknown",
    0x0200000C: "arm64_32_unknown",
}


@dataclass(frozen=True, slots=True)
class FatEntry:
    """One object of a fat file: `offset` and `size` in bytes, `arch` as `symbolic` names it or `unknown`."""

    arch: str
    offset: int
    size: int


def entries(data: Data) -> tuple[FatEntry, ...]:
    """The objects of a fat file in the order of its header, none when it is not fat.

    Raises FormatError when an object lies outside of the file or over the header.
    """
    view = viewed(data)
    entry = _ENTRIES.get(int.from_bytes(view[:4], "big"))
    if entry is None or len(view) < _HEADER.size:
        return ()
    _, count = _HEADER.unpack_from(view)
    if count > MAX_ARCHITECTURES:
        return ()
    table = part(view, _HEADER.size, count * entry.size, "the header of the fat file")
    return tuple(_checked(view, _HEADER.size + len(table), fields) for fields in entry.iter_unpack(table))


def cut(data: Data, index: int) -> memoryview:
    """The object that the header lists at `index` (from 0), without a copy; FormatError when there is none."""
    listed = entries(data)
    if not 0 <= index < len(listed):
        raise FormatError("the fat file has no such object")
    entry = listed[index]
    return part(viewed(data), entry.offset, entry.size, "an object of the fat file")


def _checked(view: memoryview, header: int, fields: tuple[int, ...]) -> FatEntry:
    cpu, subtype, offset, size = fields[:4]
    if offset < header:
        raise FormatError("an object of the fat file lies over the header")
    part(view, offset, size, "an object of the fat file")
    arch = _NAMES.get((cpu, subtype & _SUBTYPE)) or _OTHERS_OF.get(cpu, "unknown")
    return FatEntry(arch, offset, size)
