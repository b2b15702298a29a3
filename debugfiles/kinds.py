"""Kinds of debug files: the words that clients of Sentry know, and what the engine asks for them as."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from engine.modules import DebugId
from engine.sourcetypes.base import FileType


class SymbolType(StrEnum):
    """What decoders of Sentry's API accept; one unknown word spoils a whole list there."""

    PE = "pe"
    PDB = "pdb"
    PORTABLE_PDB = "portablepdb"
    MACHO = "macho"
    ELF = "elf"
    WASM = "wasm"
    BREAKPAD = "breakpad"
    SOURCE_BUNDLE = "sourcebundle"
    UUID_MAP = "uuidmap"
    BCSYMBOLMAP = "bcsymbolmap"
    IL2CPP = "il2cpp"
    PROGUARD = "proguard"


MIME_TYPES: Final = MappingProxyType(
    {
        SymbolType.PE: "application/x-dosexec",
        SymbolType.PDB: "application/x-ms-pdb",
        SymbolType.PORTABLE_PDB: "application/x-portable-pdb",
        SymbolType.MACHO: "application/x-mach-binary",
        SymbolType.ELF: "application/x-elf-binary",
        SymbolType.WASM: "application/wasm",
        SymbolType.BREAKPAD: "text/x-breakpad",
        SymbolType.SOURCE_BUNDLE: "application/x-sentry-bundle+zip",
        SymbolType.UUID_MAP: "application/x-debugid-map",
        SymbolType.BCSYMBOLMAP: "application/x-bcsymbolmap",
        SymbolType.IL2CPP: "application/x-il2cpp-json",
        SymbolType.PROGUARD: "text/x-proguard+plain",
    }
)
_SPLIT: Final = MappingProxyType(
    {
        SymbolType.ELF: (FileType.ELF_CODE, FileType.ELF_DEBUG),
        SymbolType.MACHO: (FileType.MACH_CODE, FileType.MACH_DEBUG),
        SymbolType.WASM: (FileType.WASM_CODE, FileType.WASM_DEBUG),
    }
)
_COMPANION: Final = "dbg"


@dataclass(frozen=True, slots=True)
class Identified:
    """One object of a file. `offset` and `size` are in bytes of the file; `debug_id` is None when it has none."""

    index: int
    offset: int
    size: int
    symbol_type: SymbolType
    debug_id: DebugId | None
    code_id: str = ""
    kind: str = ""
    cpu: str = ""
    features: tuple[str, ...] = ()

    @classmethod
    def whole(cls, size: int, symbol_type: SymbolType, debug_id: DebugId) -> Self:
        """A file of `size` bytes that is one object without code."""
        return cls(0, 0, size, symbol_type, debug_id)

    @property
    def file_types(self) -> tuple[FileType, ...]:
        """What the engine may ask for it as."""
        return file_types_of(self.symbol_type, self.kind, self.features)


def file_types_of(symbol_type: SymbolType, kind: str, features: Collection[str]) -> tuple[FileType, ...]:
    """A file split off from the code is asked for its debug information; code may have kept its own."""
    if symbol_type not in _SPLIT:
        return (FileType(symbol_type.value),)
    code, debug = _SPLIT[symbol_type]
    if kind == _COMPANION:
        return (debug,)
    return (code, debug) if "debug" in features else (code,)
