"""Functions that nobody called, of which ARM's tables only say that there is no unwinding.

They say the same of every function in C that was compiled without tables, so the bottom of a stack must be told apart.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from engine.formats.bytewise import FormatError
from engine.formats.elf import Elf
from engine.formats.exidx.gaps import Span

# Both C libraries of Linux begin a program with fewer bytes, and go on with code that calls nothing of the program's.
_START_BYTES: Final = 0x40
_CLONE: Final = (b"\0clone\0", b"\0__clone\0")
_SYMBOL: Final = "IIIBBH"
_MAX_SYMBOLS: Final = 1 << 20


def outermost(elf: Elf) -> tuple[Span, ...]:
    """Absolute addresses of where the program starts, and of the C library's function in which threads do."""
    found = []
    if elf.entry:
        start = elf.entry & ~1
        found.append(Span(start, start + _START_BYTES))
    # A table of symbols that cannot be read is like one that does not have these.
    with suppress(FormatError):
        found += _clones(elf)
    return tuple(dict.fromkeys(found))


def _clones(elf: Elf) -> Iterator[Span]:
    strings, symbols = elf.find(b".dynstr"), elf.find(b".dynsym")
    if strings is None or symbols is None:
        return
    texts = bytes(elf.content(strings))
    names = {place + 1 for name in _CLONE if (place := texts.find(name)) >= 0}
    if not names:
        return
    form = struct.Struct((">" if elf.big else "<") + _SYMBOL)
    table = elf.content(symbols)
    count = min(len(table) // form.size, _MAX_SYMBOLS)
    rows = list(form.iter_unpack(table[: count * form.size]))
    for name, value, size, *_ in rows:
        if name in names and size:
            start = value & ~1
            end = start + size
            # What the new thread begins with lies behind the function, where its size does not reach.
            yield Span(start, min((other[1] & ~1 for other in rows if other[1] >= end), default=end))
