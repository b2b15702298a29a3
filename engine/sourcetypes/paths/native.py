"""The `native` layout: every platform's files where its own tools look for them."""

from __future__ import annotations

from engine.modules import ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.paths.names import base_name, join, mach_uuid, split_id, suffixed, with_extension

# The age of a portable PDB in the paths that Microsoft's tools use.
PORTABLE_AGE = "ffffffff"
_DOTNET_FILES = frozenset({FileType.PDB, FileType.PORTABLE_PDB, FileType.SOURCE_BUNDLE})


def native_paths(file_type: FileType, wanted: Wanted) -> list[str | None]:
    """The possible paths, least likely first; None where an id or a name is missing."""
    match file_type:
        case FileType.PE:
            return [pe_path(wanted)]
        case FileType.PDB | FileType.PORTABLE_PDB:
            return [pdb_path(file_type, wanted)]
        case FileType.MACH_CODE:
            return [suffixed(_uuid_path(wanted), ".app")]
        case FileType.MACH_DEBUG:
            return [_uuid_path(wanted)]
        case FileType.ELF_CODE | FileType.WASM_CODE:
            return [split_id(wanted.code_id)]
        case FileType.ELF_DEBUG | FileType.WASM_DEBUG:
            return [suffixed(split_id(wanted.code_id), ".debug")]
        case FileType.BREAKPAD:
            return [_breakpad_path(wanted)]
        case FileType.SOURCE_BUNDLE:
            return _bundle_paths(wanted)
        case _:
            return []


def pe_path(wanted: Wanted) -> str | None:
    """`name/TIMESTAMPsize/name`."""
    name = base_name(wanted.code_file)
    code = wanted.code_id
    return join(name, None if code is None else code[:8].upper() + code[8:], name)


def pdb_path(file_type: FileType, wanted: Wanted) -> str | None:
    """`name/UUIDage/name`; portable PDBs have no age and a fixed one stands in for it."""
    name, debug_id = base_name(wanted.debug_file), wanted.debug_id
    if debug_id is None:
        return None
    portable = wanted.type is ModuleType.PE_DOTNET and file_type in _DOTNET_FILES
    return join(name, debug_id.uuid.hex.upper() + PORTABLE_AGE if portable else debug_id.breakpad, name)


def _uuid_path(wanted: Wanted) -> str | None:
    found = mach_uuid(wanted)
    if found is None:
        return None
    digits = found.hex.upper()
    return "/".join([*(digits[at : at + 4] for at in range(0, 20, 4)), digits[20:]])


def _breakpad_path(wanted: Wanted) -> str | None:
    name = base_name(wanted.debug_file)
    if name is None or wanted.debug_id is None or wanted.type is ModuleType.WASM:
        return None
    return f"{name}/{wanted.debug_id.breakpad}/{name.removesuffix('.pdb')}.sym"


def _bundle_paths(wanted: Wanted) -> list[str | None]:
    own = _bundle_path(wanted)
    beside_breakpad = with_extension(_breakpad_path(wanted), ".src.zip")
    if wanted.type is ModuleType.UNKNOWN or beside_breakpad == own:
        return [own]
    return [beside_breakpad, own]


def _bundle_path(wanted: Wanted) -> str | None:
    match wanted.type:
        case ModuleType.PE | ModuleType.PE_DOTNET:
            return with_extension(pdb_path(FileType.SOURCE_BUNDLE, wanted), ".src.zip")
        case ModuleType.MACHO:
            return suffixed(_uuid_path(wanted), ".src.zip")
        case ModuleType.ELF | ModuleType.WASM:
            return suffixed(split_id(wanted.code_id), ".src.zip")
        case _:
            return None
