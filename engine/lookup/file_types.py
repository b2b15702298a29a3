"""Which files are asked for, by the kind of module."""

from __future__ import annotations

from engine.modules import ModuleType
from engine.sourcetypes.base import FileType

_ANYWHERE = (FileType.BREAKPAD, FileType.MACH_DEBUG, FileType.PDB, FileType.ELF_DEBUG)

# For addresses to names, in the order in which equally good files are preferred.
DEBUG_FILES: dict[ModuleType, tuple[FileType, ...]] = {
    ModuleType.MACHO: (FileType.MACH_CODE, *_ANYWHERE),
    ModuleType.PE: (FileType.PE, *_ANYWHERE),
    ModuleType.ELF: (FileType.ELF_CODE, *_ANYWHERE),
    ModuleType.WASM: (FileType.WASM_CODE, FileType.WASM_DEBUG),
    ModuleType.PE_DOTNET: (FileType.PORTABLE_PDB, FileType.PDB),
    ModuleType.UNKNOWN: tuple(file_type for file_type in FileType if file_type is not FileType.IL2CPP),
}

# For unwinding: where the names are, the rules can be too. Nobody unwinds .NET code by what its PDB says.
UNWIND_FILES: dict[ModuleType, tuple[FileType, ...]] = DEBUG_FILES | {ModuleType.PE_DOTNET: (FileType.PORTABLE_PDB,)}

# For the lines around a line of code, whatever the module is.
SOURCE_FILES = (FileType.SOURCE_BUNDLE, FileType.PORTABLE_PDB, FileType.ELF_DEBUG, FileType.WASM_DEBUG)
