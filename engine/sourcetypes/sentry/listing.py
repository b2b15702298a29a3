"""The lists of debug files that such servers answer with, and the ones that this process remembers."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec

from engine.errors import FailureKind, LookupFailure
from engine.sourcetypes.base import FileType

LIST_BYTES = 4 << 20
KEPT_SECONDS = 3600.0
KEPT_LISTS = 10_000
KEPT_FILES = 100_000
ID_CHARACTERS = 256

FILE_TYPES = {
    "pe": frozenset({FileType.PE}),
    "pdb": frozenset({FileType.PDB}),
    "portablepdb": frozenset({FileType.PORTABLE_PDB}),
    "macho": frozenset({FileType.MACH_CODE, FileType.MACH_DEBUG}),
    "elf": frozenset({FileType.ELF_CODE, FileType.ELF_DEBUG}),
    "wasm": frozenset({FileType.WASM_CODE, FileType.WASM_DEBUG}),
    "breakpad": frozenset({FileType.BREAKPAD}),
    "sourcebundle": frozenset({FileType.SOURCE_BUNDLE}),
    "uuidmap": frozenset({FileType.UUID_MAP}),
    "bcsymbolmap": frozenset({FileType.BCSYMBOLMAP}),
    "il2cpp": frozenset({FileType.IL2CPP}),
    "proguard": frozenset({FileType.PROGUARD}),
}


class _Item(msgspec.Struct, frozen=True, rename={"symbol_type": "symbolType"}):
    id: str
    symbol_type: str


_decoder = msgspec.json.Decoder(list[_Item])


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file by its id on the server, and what it can be asked for as."""

    id: str
    file_types: frozenset[FileType]


Listing = tuple[ListedFile, ...]


def parse_listing(content: bytes) -> Listing:
    """Read a list. Files of kinds that are not known are left out, everything else must be as agreed.

    Raises LookupFailure (malformed).
    """
    try:
        items = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LookupFailure(FailureKind.MALFORMED, "the list of files is not as agreed") from None
    if not all(item.id.isprintable() and 0 < len(item.id) <= ID_CHARACTERS for item in items):
        raise LookupFailure(FailureKind.MALFORMED, "the list of files holds an id that cannot be one")
    known = ((item.id, FILE_TYPES.get(item.symbol_type)) for item in items)
    return tuple(ListedFile(file_id, file_types) for file_id, file_types in known if file_types)


class Listings:
    """Lists by source and question, kept for an hour; the least recently used ones go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, Listing]] = OrderedDict()
        self._files = 0

    def get(self, key: tuple[str, str], ask: Callable[[], Listing]) -> Listing:
        """The list for `key`, asked for when it is not known. What `ask` raises is not remembered."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] > self._clock():
                self._kept.move_to_end(key)
                return found[1]
        listing = ask()
        with self._lock:
            self._forget(key)
            self._kept[key] = (self._clock() + KEPT_SECONDS, listing)
            self._files += len(listing)
            while len(self._kept) > KEPT_LISTS or self._files > KEPT_FILES:
                self._forget(next(iter(self._kept)))
        return listing

    def forget_of(self, owners: Collection[str]) -> None:
        """Drop the lists of sources whose cache keys begin with one of these tags; the empty one stands for all."""
        with self._lock:
            for key in [key for key in self._kept if key[0].startswith(tuple(owners))]:
                self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        _, listing = self._kept.pop(key, (0.0, ()))
        self._files -= len(listing)


listings = Listings()
