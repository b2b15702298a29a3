"""Numbers as DWARF writes them."""

from __future__ import annotations

from typing import Final, Literal

from engine.formats.bytewise import FormatError

ABSOLUTE, PC_RELATIVE, TEXT_RELATIVE, DATA_RELATIVE, FUNCTION_RELATIVE, ALIGNED = 0, 0x10, 0x20, 0x30, 0x40, 0x50
INDIRECT: Final = 0x80
OMITTED: Final = 0xFF
# Sizes in bytes of the formats of encoded pointers, and whether they have a sign.
_SIZES: Final = {2: (2, False), 3: (4, False), 4: (8, False), 10: (2, True), 11: (4, True), 12: (8, True)}
_ULEB, _SLEB = 1, 9
_LEB_BITS: Final = 70


class Numbers:
    """Numbers of one section, read one after another up to `end`; past it everything raises FormatError."""

    __slots__ = ("_data", "_order", "end", "position", "word")

    def __init__(self, data: memoryview, *, big: bool, word: int, position: int = 0, end: int | None = None) -> None:
        """`word` is the size of an address in bytes."""
        self._data = data
        self._order: Literal["big", "little"] = "big" if big else "little"
        self.word = word
        self.position = position
        self.end = len(data) if end is None else min(end, len(data))

    @property
    def big(self) -> bool:
        return self._order == "big"

    def within(self, end: int) -> Numbers:
        """The same from here on, up to `end` and no further than now."""
        return Numbers(self._data, big=self.big, word=self.word, position=self.position, end=min(end, self.end))

    def number(self, size: int, *, signed: bool = False) -> int:
        at = self.position
        if size < 0 or at + size > self.end:
            raise FormatError("an unwind entry reaches beyond its end")
        self.position = at + size
        return int.from_bytes(self._data[at : at + size], self._order, signed=signed)

    def u8(self) -> int:
        at = self.position
        if at >= self.end:
            raise FormatError("an unwind entry reaches beyond its end")
        self.position = at + 1
        return self._data[at]

    def skip(self, size: int) -> None:
        if size < 0 or self.position + size > self.end:
            raise FormatError("an unwind entry reaches beyond its end")
        self.position += size

    def block(self) -> memoryview:
        """Bytes behind their count."""
        size = self.uleb()
        start = self.position
        self.skip(size)
        return self._data[start : start + size]

    def uleb(self) -> int:
        byte = self.u8()
        value, shift = byte & 0x7F, 7
        while byte & 0x80:
            if shift > _LEB_BITS:
                raise FormatError("a number is too long")
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
        return value

    def sleb(self) -> int:
        start = self.position
        value = self.uleb()
        bits = 7 * (self.position - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> bytes:
        """Bytes up to the next NUL, which is passed over."""
        text = bytearray()
        while byte := self.u8():
            text.append(byte)
        return bytes(text)

    def value(self, encoding: int) -> int:
        """A pointer's number, whatever it is relative to."""
        form = encoding & 0x0F
        if form == 0:
            return self.number(self.word)
        if form in (_ULEB, _SLEB):
            return self.uleb() if form == _ULEB else self.sleb()
        if form not in _SIZES:
            raise FormatError("a pointer is written in a way that is not known")
        size, signed = _SIZES[form]
        return self.number(size, signed=signed)
