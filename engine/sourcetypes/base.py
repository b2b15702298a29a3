"""What the lookup asks of a source: where could a file lie, and fetch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol

from engine.modules import Wanted
from engine.outgoing import Deadline


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

    `path` is relative to the source, `uri` is what candidates show; neither holds a secret.
    """

    path: str
    uri: str


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

    def locate(self, wanted: Wanted, file_types: Sequence[FileType]) -> list[tuple[FileType, Location]]:
        """Where the files of a module could lie, best first, filters applied."""
        ...

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Stream the raw file to `target` (seekable, empty). Raises LookupFailure or DeadlineExceeded."""
        ...
