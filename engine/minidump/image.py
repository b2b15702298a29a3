"""The bytes of a dump: numbers in the dump's byte order, texts and pieces, every access checked against the end.

Structures are those of Microsoft's minidumpapiset.h (dbghelp), which packs them on four bytes.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

MAX_TEXT_BYTES = 1 << 16
# All texts of one dump together: names that overlap in the file must not add up to more than a reader can hold.
MAX_TEXTS_BYTES = 32 << 20


# Told about an entry of a stream that cannot be read and costs only itself.
Complain: TypeAlias = Callable[[str], None]


class Unreadable(Exception):
    """A piece of a dump lies beyond the end of the file, or contradicts itself."""


class Layout:
    """A structure in both byte orders; `form` is written as for `struct`, without a byte order."""

    __slots__ = ("big", "little", "size")

    def __init__(self, form: str) -> None:
        self.little = struct.Struct("<" + form)
        self.big = struct.Struct(">" + form)
        self.size = self.little.size


class Image:
    """A dump's bytes in one byte order. Offsets are those of the file (RVAs)."""

    __slots__ = ("_budget", "_decode_utf16", "data", "is_little", "order", "size")

    def __init__(self, data: memoryview, *, is_little: bool) -> None:
        self.data = data
        self.size = len(data)
        self.is_little = is_little
        self.order: Literal["little", "big"] = "little" if is_little else "big"
        self._decode_utf16 = codecs.utf_16_le_decode if is_little else codecs.utf_16_be_decode
        self._budget = MAX_TEXTS_BYTES

    def unpack(self, layout: Layout, at: int) -> tuple[Any, ...]:
        """The fields of one structure; Unreadable when it does not fit."""
        if at + layout.size > self.size:
            raise Unreadable(f"{layout.size} bytes at {at:#x} reach beyond the end")
        return (layout.little if self.is_little else layout.big).unpack_from(self.data, at)

    def rows(self, layout: Layout, at: int, count: int) -> Iterator[tuple[Any, ...]]:
        """`count` structures one after another; Unreadable at once when they do not all fit."""
        piece = self.piece(at, count * layout.size)
        return (layout.little if self.is_little else layout.big).iter_unpack(piece)

    def piece(self, at: int, size: int) -> memoryview:
        """A view of `size` bytes; Unreadable when they are not all there."""
        if at + size > self.size:
            raise Unreadable(f"{size} bytes at {at:#x} reach beyond the end")
        return self.data[at : at + size]

    def u32(self, at: int) -> int:
        if at + 4 > self.size:
            raise Unreadable(f"4 bytes at {at:#x} reach beyond the end")
        return int.from_bytes(self.data[at : at + 4], self.order)

    def utf16(self, at: int) -> str:
        """A MINIDUMP_STRING: its length in bytes, and UTF-16 in the dump's byte order."""
        text = self._decode_utf16(self.charged(at + 4, self.u32(at)), "replace", True)[0]
        return text.partition("\0")[0] if "\0" in text else text

    def utf8(self, at: int) -> str:
        """A length in bytes, and UTF-8, as Crashpad stores texts."""
        return _cut(str(self.charged(at + 4, self.u32(at)), "utf-8", "replace"))

    def blob(self, at: int) -> bytes:
        """A length, and that many bytes."""
        return bytes(self.charged(at + 4, self.u32(at)))

    def plain(self, at: int, size: int) -> str:
        """UTF-8 up to the first NUL or the end of the piece."""
        return _cut(str(self.charged(at, size), "utf-8", "replace"))

    def fixed_utf16(self, piece: memoryview) -> str:
        """The UTF-16 of a piece up to the first NUL. What cannot be decoded is replaced."""
        return _cut(self._decode_utf16(piece, "replace", True)[0])

    def charged(self, at: int, size: int) -> memoryview:
        """A piece that is going to be copied: Unreadable when it is too long, or all such pieces together are."""
        left = self._budget = self._budget - size
        if size > MAX_TEXT_BYTES or left < 0:
            raise Unreadable("the dump's texts are too long")
        if at + size > self.size:
            raise Unreadable(f"{size} bytes at {at:#x} reach beyond the end")
        return self.data[at : at + size]


def _cut(text: str) -> str:
    return text.partition("\0")[0] if "\0" in text else text
