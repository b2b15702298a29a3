"""Cabinets of any number of files, which lie one behind the other in folders that are packed as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from debugfiles.archives.entries import Entry, Metered, text_of
from debugfiles.archives.streams import ByteStream, relieved
from engine.formats.packed.cab import CabFile, Cabinet


def read_cab(data: memoryview, metered: Metered) -> Iterator[Entry]:
    """The entries. Raises FormatError where the cabinet is broken, is one of a set, or is packed with LZX."""
    cabinet = Cabinet(data)
    files = sorted(cabinet.files, key=lambda file: (file.folder, file.start))
    for folder, inside in groupby(files, key=lambda file: file.folder):
        stream = ByteStream(metered(relieved(cabinet.folder(folder), data)))
        for file in inside:
            yield from _entry(stream, file)


def _entry(stream: ByteStream, file: CabFile) -> Iterator[Entry]:
    name = text_of(file.name)
    if file.start < stream.position:
        yield Entry(name, size=file.size, problem="it overlaps another file")
        return
    stream.skip(file.start - stream.position)
    content = stream.section(file.size)
    yield Entry(name, size=file.size, content=content)
    content.skip()
