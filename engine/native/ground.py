"""Where the modules of one request lie."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from engine.modules import AddressMap, Span, fill_sizes
from engine.native.images import ImageIdentity
from engine.native.wire import Module

PAGE_BITS = 12
PAGE = 1 << PAGE_BITS
# Below lies nothing whose addresses would have a page at all, whatever is subtracted from them.
_LOWEST = 2 * PAGE
_END = 1 << 64


class Pages(dict[int, bytes]):
    """The hexadecimal digits of the pages of a module, by their number counted from its first one.

    All digits of an absolute address but the last three: what changes with the place where a module was loaded. Only
    pages that the module owns have some; KeyError is raised for others. `module` is its index.
    """

    __slots__ = ("_first", "_room", "module")

    def __init__(self, span: Span, room: int) -> None:
        """`room`: the bytes that the module owns from its start on, 0 where another one counts."""
        self.module = span.module
        self._room = room
        self._first = span.start >> PAGE_BITS

    def __missing__(self, page: int) -> bytes:
        if (page + 1) << PAGE_BITS > self._room:
            raise KeyError(page)
        digits = self[page] = b"%x" % (self._first + page)
        return digits

    def around(self, page: int) -> bytes:
        """The digits of any page, be it before or behind the module."""
        return self.get(page) or b"%x" % (self._first + page)


class Ground:
    """The modules of a request by absolute address.

    `bounds` cuts the address space into pieces, and `owners` has the span of each, with one piece more than bounds.
    """

    def __init__(
        self, modules: Sequence[Module], addresses: Sequence[int], identities: Sequence[ImageIdentity]
    ) -> None:
        self.identities = identities
        self.spans = fill_sizes(
            [
                Span(at, start, module.image_size or 0)
                for at, (start, module) in enumerate(zip(addresses, modules, strict=True))
            ]
        )
        lookup = AddressMap(self.spans)
        self.bounds: list[int] = lookup.bounds
        self.owners: list[Span | None] = lookup.owners

    @cached_property
    def movable(self) -> dict[str, Pages]:
        """The modules that begin with a page, by the keys of their identities; none of those that are there twice."""
        found: dict[str, Pages] = {}
        twice = set()
        for span, room, identity in zip(self.spans, self._rooms(), self.identities, strict=True):
            if identity.key in found:
                twice.add(identity.key)
            if span.start >= _LOWEST and not span.start % PAGE:
                found[identity.key] = Pages(span, room)
        for key in twice:
            del found[key]
        return found

    def _rooms(self) -> list[int]:
        rooms = [0] * len(self.spans)
        ends = [*self.bounds[1:], _END] if self.bounds else []
        for owner, end in zip(self.owners[1:], ends, strict=True):
            if owner is not None:
                rooms[owner.module] = end - owner.start
        return rooms

    def find(self, address: int) -> Span | None:
        """The module that an absolute address lies in."""
        return self.owners[bisect_right(self.bounds, address)]

    def is_nowhere(self, address: int) -> bool:
        """Whether an absolute address lies in no module."""
        return self.find(address) is None
