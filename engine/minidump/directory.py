"""The header of a dump and its directory of streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.errors import BadReport
from engine.formats.bytewise import Data, viewed
from engine.minidump.image import Image, Layout, Unreadable
from engine.minidump.model import DamagedStream

SIGNATURE_LITTLE = b"MDMP"
SIGNATURE_BIG = b"PMDM"
VERSION = 0xA793
# The directory of a real dump has some twenty entries.
MAX_STREAMS = 1 << 12
UNUSED = 0
_HEADER = Layout("4sIIIIIQ")
_ENTRY = Layout("III")

T = TypeVar("T")


class BadMinidump(BadReport):
    """No thread of the dump can be shown: its header, system information or thread list cannot be read."""

    code = "bad_minidump"


class Streams:
    """The streams of a dump by type, and a record of those that turned out damaged."""

    def __init__(self, data: Data) -> None:
        """BadMinidump when header or directory cannot be read."""
        self.image, fields = _opened(viewed(data))
        _, version, count, directory, _, self.timestamp, self.flags = fields
        # The upper half of the version belongs to who wrote the dump.
        if version & 0xFFFF != VERSION:
            raise BadMinidump("Minidump version mismatch")
        self._places = _places(self.image, directory, count)
        self._damaged: dict[int, str] = {}

    @property
    def damaged(self) -> tuple[DamagedStream, ...]:
        """What could not be read so far, in the order in which it was met."""
        return tuple(DamagedStream(type, reason) for type, reason in self._damaged.items())

    def __contains__(self, type: int) -> bool:
        return type in self._places

    def place(self, type: int) -> tuple[int, int] | None:
        """Offset and size of the stream of this type, which may lie beyond the end; None when there is none."""
        return self._places.get(type)

    def damage(self, type: int, reason: str) -> None:
        """Record what is wrong with a stream; the first reason is kept."""
        self._damaged.setdefault(type, reason)

    def read(self, type: int, reader: Callable[[Image, int, int], T]) -> T | None:
        """What `reader(image, offset, size)` makes of a stream; None when there is none or it is damaged."""
        place = self._places.get(type)
        if place is None:
            return None
        at, size = place
        try:
            if at + size > self.image.size:
                raise Unreadable("the stream reaches beyond the end")
            return reader(self.image, at, size)
        except Unreadable as problem:
            self.damage(type, str(problem))
            return None


def _opened(data: memoryview) -> tuple[Image, tuple[int, ...]]:
    """The dump in its byte order, and the fields of its header."""
    if len(data) < _HEADER.size:
        raise BadMinidump("Missing minidump header (empty minidump?)")
    signature = bytes(data[:4])
    if signature not in (SIGNATURE_LITTLE, SIGNATURE_BIG):
        raise BadMinidump("Header mismatch")
    image = Image(data, is_little=signature == SIGNATURE_LITTLE)
    return image, image.unpack(_HEADER, 0)


def _places(image: Image, directory: int, count: int) -> dict[int, tuple[int, int]]:
    """Offset and size by type; of two streams of one type the last one counts."""
    if count > MAX_STREAMS or directory + count * _ENTRY.size > image.size:
        raise BadMinidump("Missing stream directory (heavily truncated minidump?)")
    rows = image.rows(_ENTRY, directory, count)
    return {type: (at, size) for type, size, at in rows if type != UNUSED}
