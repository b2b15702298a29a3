"""What the lookup asks of a source: where could a file lie, and fetch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol, cast

from engine.modules import Wanted
from engine.outgoing import Deadline, Trust

# For callers that have no end of their own: what a source asks ends by itself.
NEVER = Deadline.never()


class FileType(StrEnum):
    """The kinds of files that sources hold, by the names used in filters."""

    PE = "pe"
    PDB = "pdb"
    PORTABLE_PDB = "portablepdb"
    MACH_DEBUG = "mach_debug"
    MACH_CODE = "mach_code"
    ELF_DEBUG = "elf_debug"
    ELF_CODE = "elf_code"
    WASM_DEBUG = "wasm_debug"
    WASM_CODE = "wasm_code"
    BREAKPAD = "breakpad"
    SOURCE_BUNDLE = "sourcebundle"
    UUID_MAP = "uuidmap"
    BCSYMBOLMAP = "bcsymbolmap"
    IL2CPP = "il2cpp"
    PROGUARD = "proguard"


@dataclass(frozen=True, slots=True)
class Location:
    """One place of a source where a file may lie.

    `path` is relative to the source, `uri` is what candidates show; neither holds a secret. `content` is the digest of
    the file, from sources that know it before it is fetched: then what is kept of it stays good for its owner and scope
    whatever else changes about the source. Empty where it is not known.
    """

    path: str
    uri: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """For whom a source is opened, and what it may do.

    `owner` is the organization, or `builtin`. `never_block` are hosts (lower case) that are asked however often they
    fail.
    """

    owner: str
    cache_key: str
    shared: bool
    trust: Trust
    never_block: frozenset[str] = frozenset()


class Source(Protocol):
    """A symbol source that is ready to be asked. Safe to use from several threads."""

    @property
    def id(self) -> str:
        """The public id, shown in candidates."""
        ...

    @property
    def cache_key(self) -> str:
        """Hex digest over the owner and the whole configuration, credentials included. Never shown."""
        ...

    @property
    def shared(self) -> bool:
        """Whether what it holds may be cached for everybody (an operator's source marked public)."""
        ...

    @property
    def asks_first(self) -> bool:
        """Whether `locate` asks a server, and so may take a while."""
        ...

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """Where the files of a module could lie, best first, filters applied.

        Raises LookupFailure or DeadlineExceeded when `asks_first` and the server cannot be asked.
        """
        ...

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Stream the raw file to `target` (seekable, empty). Raises LookupFailure or DeadlineExceeded."""
        ...


class ListingSource(Source, Protocol):
    """A source that knows which files it has, and has other ones from one request to the next."""

    def learn(self, wanted: Sequence[Wanted]) -> None:
        """Find out about many modules at once, for whatever is asked next."""
        ...

    def offer(self, wanted: Wanted) -> str:
        """Tells apart what there is of a module at different times; empty when there is nothing."""
        ...


def listing_sources(sources: Sequence[Source]) -> list[ListingSource]:
    """Those of the sources that know which files they have."""
    return [cast(ListingSource, source) for source in sources if hasattr(source, "offer")]
