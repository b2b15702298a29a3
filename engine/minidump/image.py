"""The bytes of a dump: numbers in the dump's byte order, texts and pieces, every access checked against the end.

Structures are those of Microsoft's minidumpapiset.h (dbghelp), which packs them on four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

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


U32 = Layout("I")
U64 = Layout("Q")


class Image:
    """A dump's bytes in one byte order. Offsets are those of the file (RVAs)."""

    __slots__ = ("_budget", "_texts", "data", "is_little", "size")

    def __init__(self, data: memoryview, *, is_little: bool) -> None:
        self.data = data
        self.size = len(data)
        self.is_little = is_little
        self._texts: dict[tuple[int, str], str] = {}
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
        return int(self.unpack(U32, at)[0])

    def utf16(self, at: int) -> str:
        """A MINIDUMP_STRING: its length in bytes, and UTF-16 in the dump's byte order."""
        return self._text(at, "utf-16-le" if self.is_little else "utf-16-be")

    def utf8(self, at: int) -> str:
        """A length in bytes, and UTF-8, as Crashpad stores texts."""
        return self._text(at, "utf-8")

    def decoded(self, piece: memoryview, encoding: str) -> str:
        """The text before the first NUL; what cannot be decoded is replaced. Charged to the dump's texts."""
        self._charge(len(piece))
        return str(piece, encoding, "replace").partition("\0")[0]

    def blob(self, at: int) -> bytes:
        """A length, and that many bytes; charged like texts."""
        piece = self.piece(at + 4, self.u32(at))
        self._charge(len(piece))
        return bytes(piece)

    def terminated(self, piece: memoryview) -> bytes:
        """The bytes before the first NUL, which must come; charged like texts."""
        ahead = bytes(piece[: MAX_TEXT_BYTES + 1])
        end = ahead.find(b"\0")
        if end < 0:
            raise Unreadable("a text has no end")
        self._charge(end)
        return ahead[:end]

    def fixed_utf16(self, piece: memoryview) -> str:
        """An array of UTF-16 units that is filled up with zeros."""
        return self.decoded(piece, "utf-16-le" if self.is_little else "utf-16-be")

    def _charge(self, size: int) -> None:
        self._budget -= size
        if size > MAX_TEXT_BYTES or self._budget < 0:
            raise Unreadable("the dump's texts are too long")

    def _text(self, at: int, encoding: str) -> str:
        known = self._texts.get((at, encoding))
        if known is not None:
            return known
        text = self.decoded(self.piece(at + 4, self.u32(at)), encoding)
        self._texts[at, encoding] = text
        return text
