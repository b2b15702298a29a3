"""What every reader of archives gives."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

PIECE_BYTES: Final = 1 << 18
LONGEST_NAME: Final = 1 << 16


class EntryKind(StrEnum):
    """What an entry is, in the words of answers."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive. `size` is in bytes, None where only the content tells.

    `content` gives the pieces, once, and only until the next entry is asked for; it raises FormatError. `problem` says
    why there is no content that could be read.
    """

    name: str
    kind: EntryKind = EntryKind.FILE
    size: int | None = None
    content: Iterable[bytes] = field(default=(), repr=False)
    problem: str = ""


# Put around everything that is unpacked, wanted or not.
Metered = Callable[[Iterable[bytes]], Iterator[bytes]]


class Reader(Protocol):
    """Gives the entries of an archive in their order. Raises FormatError where it cannot go on."""

    def __call__(self, data: memoryview, metered: Metered) -> Iterator[Entry]: ...


def kind_of_mode(mode: int) -> EntryKind:
    """What the mode of a Unix file says; without a type it is a file."""
    match stat.S_IFMT(mode):
        case 0 | stat.S_IFREG:
            return EntryKind.FILE
        case stat.S_IFDIR:
            return EntryKind.DIRECTORY
        case stat.S_IFLNK:
            return EntryKind.LINK
    return EntryKind.DEVICE


def text_of(name: bytes) -> str:
    """The name of an entry as text, whatever its bytes are."""
    return name.decode("utf-8", "replace")
