"""Envelopes, in which clients of Sentry send everything: read as a stream, item by item.

A line of JSON for the whole; then items, each a line of JSON and a payload. A payload has as many bytes as its header's
`length` says and then a line feed or the end; without `length` it goes to the next line feed. Empty lines may follow.
The format is public (https://develop.sentry.dev/sdk/foundations/transport/envelopes/); that clients do both was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from crashes.loose_json import BadJson
from crashes.sentry.answers import BadReport
from crashes.sentry.loosely import Decoded, decoded

_LINE_END: Final = b"\n"


@dataclass(frozen=True, slots=True)
class EnvelopeLimits:
    """`header` and `item_header`: bytes of a line; `items`: how many, those that nobody takes included."""

    header: int = 64 << 10
    item_header: int = 16 << 10
    items: int = 500


class EnvelopeHeader(msgspec.Struct):
    """The first line: what it may say that matters here, of any type."""

    event_id: object = None
    dsn: object = None


class ItemHead(msgspec.Struct):
    """An item's line. `type` says what it is; an attachment's `attachment_type` what kind of file."""

    type: str
    length: int | None = None
    filename: object = None
    attachment_type: object = None
    content_type: object = None


class Item:
    """One item on its way in: to be read before the next one is asked for; what is left is skipped."""

    def __init__(self, head: ItemHead, pieces: Iterator[bytes]) -> None:
        self.head = head
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        """The pieces of the payload. Raises BadReport."""
        return self._pieces

    def copy_to(self, write: Callable[[bytes], object], *, limit: int | None = None) -> None:
        """Hand every piece to `write`. Raises BadReport, with status 413 beyond `limit`."""
        size = 0
        for piece in self._pieces:
            size += len(piece)
            if limit is not None and size > limit:
                raise BadReport(f"the item {self.head.type[:50]} has more than {limit} bytes", status=413)
            write(piece)


class Envelope:
    """An envelope on its way in."""

    def __init__(self, chunks: Iterable[bytes], limits: EnvelopeLimits) -> None:
        self._source = _Source(chunks)
        self._limits = limits
        line = self._source.line(limits.header, "the envelope's header")
        self.header = _decode(line or b"", EnvelopeHeader, "the envelope's header")

    def items(self) -> Iterator[Item]:
        """The items in their order. Raises BadReport, and what the chunks raise."""
        count = 0
        while (line := self._source.line(self._limits.item_header, "an item's header")) is not None:
            if not line:
                continue
            count += 1
            if count > self._limits.items:
                raise BadReport(f"more than {self._limits.items} items", status=413)
            head = _decode(line, ItemHead, "an item's header")
            item = Item(head, self._payload(head))
            yield item
            for _skipped in item:
                pass

    def _payload(self, head: ItemHead) -> Iterator[bytes]:
        if head.length is None:
            yield from self._source.to_line_end()
            return
        if head.length < 0:
            raise BadReport("an item's length is negative")
        yield from self._source.exactly(head.length)
        self._source.skip_line_end()


def open_envelope(chunks: Iterable[bytes], limits: EnvelopeLimits | None = None) -> Envelope:
    """Read the first line. Raises BadReport when it is no envelope's, and what `chunks` raise."""
    return Envelope(chunks, limits or EnvelopeLimits())


class _Source:
    """Bytes that are taken by lines and by counts. Holds one chunk, and while a line is short of its end that line."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""
        self._at = 0

    def line(self, limit: int, name: str) -> bytes | None:
        """The next line without its end; None where nothing is left."""
        found = bytearray()
        for piece in self._until_line_end():
            found += piece
            if len(found) > limit:
                raise BadReport(f"{name} has more than {limit} bytes")
        if not found and not self._ended_by_line:
            return None
        return bytes(found)

    def to_line_end(self) -> Iterator[bytes]:
        """What comes before the next line feed or the end."""
        return self._until_line_end()

    def exactly(self, count: int) -> Iterator[bytes]:
        """So many bytes. Raises BadReport where there are fewer."""
        while count:
            if not self._fill():
                raise BadReport("an item is shorter than its length says")
            piece = self._held[self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            yield piece

    def skip_line_end(self) -> None:
        """Pass the line feed behind a payload; nothing may be left instead. Raises BadReport for anything else."""
        if self._fill():
            if self._held[self._at] != _LINE_END[0]:
                raise BadReport("an item is longer than its length says")
            self._at += 1

    def _until_line_end(self) -> Iterator[bytes]:
        self._ended_by_line = False
        while not self._ended_by_line and self._fill():
            end = self._held.find(_LINE_END, self._at)
            self._ended_by_line = end >= 0
            piece = self._held[self._at : end if end >= 0 else len(self._held)]
            self._at += len(piece) + self._ended_by_line
            if piece:
                yield piece

    def _fill(self) -> bool:
        """Whether a byte is there."""
        while self._at >= len(self._held):
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._held, self._at = chunk, 0
        return True


def _decode(line: bytes, type_: type[Decoded], name: str) -> Decoded:
    try:
        return decoded(line, type_)
    except BadJson as error:
        raise BadReport(f"{name} is not what it should be: {error}") from None
