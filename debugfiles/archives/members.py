"""The files of an archive that may be taken, and why the others may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from core.blobs import blob_store
from core.text import storable
from debugfiles.archives.bounds import ArchiveRefused, Bounds, Meter
from debugfiles.archives.cab import read_cab
from debugfiles.archives.entries import Entry, EntryKind
from debugfiles.archives.opening import HEAD_BYTES, archive_name, open_archive, plain_name, rest_of
from debugfiles.archives.packing import packing_of
from debugfiles.archives.streams import ByteStream
from engine.formats.bytewise import FormatError, mapped
from engine.formats.packed.cab import Cabinet

HEAD_BYTES_OF_MEMBER: Final = 64 << 10
_SHOWN: Final = 300
_DRIVE: Final = re.compile("[A-Za-z]:")
_NESTED: Final = "an archive within the archive"


@dataclass(frozen=True, slots=True)
class Refused:
    """A member that is not taken."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member that may be taken. `head` is how it begins, `pieces` all of it; the pieces raise FormatError."""

    name: str
    head: bytes = field(repr=False)
    pieces: Iterator[bytes] = field(repr=False)


Member = Candidate | Refused


def members(path: Path, name: str, bounds: Bounds) -> Iterator[Member]:
    """What the archive at `path`, sent as `name`, holds: each member is to be read before the next one is asked for.

    One layer of packing around a member is taken off. Raises ArchiveRefused for an archive that is broken or exceeds
    its bounds, and BlobError.
    """
    with open(path, "rb") as file:
        data = mapped(file)
    meter = Meter(len(data), bounds)
    try:
        opened = open_archive(data, name, meter)
        if opened is None:
            raise FormatError("it is not an archive")
        for entry in opened.entries:
            meter.entry()
            yield from _judged(entry, meter, bounds, packed=opened.single)
    except FormatError as error:
        raise ArchiveRefused(f"{shown(name)}: the archive cannot be read: {error.details}", "malformed") from None


def shown(name: str) -> str:
    """A member's name as answers repeat it: with its directories, not without end."""
    return storable(name)[-_SHOWN:]


def why_unsafe(name: str) -> str:
    """Why a name is not one that an honest archive has; empty when there is nothing against it."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        return "an absolute path"
    if ".." in plain.split("/"):
        return "a path that leads out of the archive"
    return "a name with a NUL" if "\0" in name else ""


def _judged(entry: Entry, meter: Meter, bounds: Bounds, *, packed: bool) -> Iterator[Member]:
    """`packed`: one layer of packing was taken off already."""
    if entry.kind is EntryKind.DIRECTORY:
        return
    reason = why_unsafe(entry.name) or entry.problem
    if entry.kind is not EntryKind.FILE:
        reason = f"a {entry.kind.value}, which no upload needs"
    if reason:
        yield Refused(shown(entry.name), reason)
        return
    meter.file()
    stream = ByteStream(entry.content)
    try:
        head = stream.up_to(HEAD_BYTES_OF_MEMBER)
    except FormatError as error:
        yield Refused(shown(entry.name), error.details or "broken")
        return
    yield from _opened(entry.name, head, stream, meter, bounds, packed=packed)


def _opened(
    name: str, head: bytes, stream: ByteStream, meter: Meter, bounds: Bounds, *, packed: bool
) -> Iterator[Member]:
    pieces = chain([head], rest_of(stream))
    packing = packing_of(head)
    kind = archive_name(head[:HEAD_BYTES])
    if not head:
        yield Refused(shown(name), "it is empty")
    elif packed and (packing is not None or kind is not None):
        yield Refused(shown(name), _NESTED)
    elif packing is not None:
        inner = Entry(plain_name(packing, name), content=meter(packing.unpacked(pieces)))
        yield from _judged(inner, meter, bounds, packed=True)
    elif kind == "cab":
        yield from _in_cabinet(name, pieces, meter, bounds)
    elif kind is not None:
        yield Refused(shown(name), f"{_NESTED} ({kind})")
    else:
        yield Candidate(shown(name), head, pieces)


def _in_cabinet(name: str, pieces: Iterator[bytes], meter: Meter, bounds: Bounds) -> Iterator[Member]:
    """A file as `compress` and `symstore` pack it (`.pd_`, `.sy_`): a cabinet that holds nothing else."""
    try:
        with _spooled(pieces, bounds) as data:
            if len(Cabinet(data).files) == 1:
                for entry in read_cab(data, meter):
                    yield from _judged(entry, meter, bounds, packed=True)
                return
    except FormatError as error:
        yield Refused(shown(name), error.details or "broken")
        return
    yield Refused(shown(name), f"{_NESTED} (cab)")


@contextmanager
def _spooled(pieces: Iterator[bytes], bounds: Bounds) -> Iterator[memoryview]:
    with blob_store().incoming(bounds.total) as incoming:
        for piece in pieces:
            incoming.write(piece)
        incoming.finish()
        with open(incoming.path, "rb") as file:
            yield mapped(file)
