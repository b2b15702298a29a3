"""The layouts of Microsoft's symbol servers: `symstore`, its two-tier form, and `ssqp`.

The rules for keys are those of dotnet/symstore's SSQP conventions.
"""

from __future__ import annotations

from engine.modules import ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.paths.names import base_name, join, mach_uuid, with_extension
from engine.sourcetypes.paths.native import PORTABLE_AGE, pdb_path, pe_path


def symstore_paths(file_type: FileType, wanted: Wanted) -> list[str | None]:
    """Names as they are, ids as native tools write them."""
    match file_type:
        case FileType.PE:
            return [pe_path(wanted)]
        case FileType.PDB | FileType.PORTABLE_PDB:
            return [pdb_path(file_type, wanted)]
        case FileType.SOURCE_BUNDLE if wanted.type is ModuleType.PE:
            return [with_extension(pdb_path(file_type, wanted), ".src.zip")]
        case _:
            return [_prefixed_key(file_type, wanted, base_name(wanted.code_file))]


def index2_paths(file_type: FileType, wanted: Wanted) -> list[str | None]:
    """Symstore's paths below a directory of the first two characters of the name."""
    return [path and f"{_tier(path)}/{path}" for path in symstore_paths(file_type, wanted)]


def _tier(path: str) -> str:
    return path[:1] if path[1:2] in (".", "/") else path[:2]


def ssqp_paths(file_type: FileType, wanted: Wanted) -> list[str | None]:
    """Names in lower case, ids in lower case, ages of PDBs in upper case."""
    match file_type:
        case FileType.PE:
            name = _lower_name(wanted.code_file)
            return [join(name, wanted.code_id, name)]
        case FileType.PDB | FileType.PORTABLE_PDB:
            return [_ssqp_pdb(wanted)]
        case FileType.SOURCE_BUNDLE if wanted.type is ModuleType.PE:
            return [with_extension(_ssqp_pdb(wanted), ".src.zip")]
        case _:
            return [_prefixed_key(file_type, wanted, _lower_name(wanted.code_file))]


def _ssqp_pdb(wanted: Wanted) -> str | None:
    name, debug_id = _lower_name(wanted.debug_file), wanted.debug_id
    if debug_id is None:
        return None
    age = PORTABLE_AGE.upper() if wanted.type is ModuleType.PE_DOTNET else f"{debug_id.appendix:X}"
    return join(name, debug_id.uuid.hex + age, name)


def _prefixed_key(file_type: FileType, wanted: Wanted, name: str | None) -> str | None:
    """The keys with a prefix that ELF and Mach-O files have on such servers."""
    match file_type:
        case FileType.ELF_CODE:
            return join(name, _key("elf-buildid-", wanted.code_id), name)
        case FileType.ELF_DEBUG:
            return join("_.debug", _key("elf-buildid-sym-", wanted.code_id), "_.debug")
        case FileType.MACH_CODE:
            return join(name, _key("mach-uuid-", _uuid_text(wanted)), name)
        case FileType.MACH_DEBUG:
            return join("_.dwarf", _key("mach-uuid-sym-", _uuid_text(wanted)), "_.dwarf")
        case _:
            return None


def _uuid_text(wanted: Wanted) -> str | None:
    found = mach_uuid(wanted)
    return found.hex if found else None


def _key(prefix: str, text: str | None) -> str | None:
    return None if text is None else prefix + text


def _lower_name(path: str | None) -> str | None:
    name = base_name(path)
    return name.lower() if name else None
