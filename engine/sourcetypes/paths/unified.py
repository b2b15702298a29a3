"""The layouts that know one id per file: `unified`, `debuginfod` and `slashsymbols`."""

from __future__ import annotations

from engine.modules import ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.paths.names import base_name, code_id_or_uuid, join, split_id

_FILE_NAMES = {
    FileType.PE: "executable",
    FileType.PDB: "debuginfo",
    FileType.PORTABLE_PDB: "debuginfo",
    FileType.MACH_DEBUG: "debuginfo",
    FileType.MACH_CODE: "executable",
    FileType.ELF_DEBUG: "debuginfo",
    FileType.ELF_CODE: "executable",
    FileType.WASM_DEBUG: "debuginfo",
    FileType.WASM_CODE: "executable",
    FileType.BREAKPAD: "breakpad",
    FileType.SOURCE_BUNDLE: "sourcebundle",
    FileType.UUID_MAP: "uuidmap",
    FileType.BCSYMBOLMAP: "bcsymbolmap",
    FileType.IL2CPP: "il2cpp",
}


def unified_paths(file_type: FileType, wanted: Wanted) -> list[str | None]:
    """`id/name`, the first two digits of the id being a directory."""
    return [join(split_id(_unified_id(file_type, wanted)), _FILE_NAMES.get(file_type))]


def _unified_id(file_type: FileType, wanted: Wanted) -> str | None:
    match file_type:
        case FileType.PE | FileType.PDB | FileType.PORTABLE_PDB:
            return _debug_key(wanted)
        case FileType.ELF_DEBUG | FileType.ELF_CODE:
            return wanted.code_id
        case FileType.BREAKPAD | FileType.SOURCE_BUNDLE | FileType.IL2CPP:
            return _id_of_module(wanted)
        case _:
            return code_id_or_uuid(wanted)


def _id_of_module(wanted: Wanted) -> str | None:
    match wanted.type:
        case ModuleType.ELF:
            return wanted.code_id
        case ModuleType.MACHO | ModuleType.WASM:
            return code_id_or_uuid(wanted)
        case ModuleType.PE | ModuleType.PE_DOTNET:
            return _debug_key(wanted)
        case _:
            return None


def _debug_key(wanted: Wanted) -> str | None:
    return wanted.debug_id.breakpad.lower() if wanted.debug_id else None


def debuginfod_paths(file_type: FileType, wanted: Wanted) -> list[str | None]:
    """`buildid/executable` and `buildid/debuginfo`; such servers hold ELF files only."""
    match file_type:
        case FileType.ELF_CODE:
            return [join(wanted.code_id, "executable")]
        case FileType.ELF_DEBUG:
            return [join(wanted.code_id, "debuginfo")]
        case _:
            return []


def slashsymbols_paths(_file_type: FileType, wanted: Wanted) -> list[str | None]:
    """`name/id/symbols` for any kind of file, the id in lower and in upper case."""
    name = base_name(wanted.code_file)
    if wanted.code_id is None:
        return []
    return [join(name, wanted.code_id, "symbols"), join(name, wanted.code_id.upper(), "symbols")]
