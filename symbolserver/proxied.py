"""The paths of `/proxy/`: Symbolicator's, which speaks symstore with the keys of SSQP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.modules import DebugId, ModuleType, Wanted, parse_code_id
from engine.sourcetypes.base import FileType

_BREAKPAD_ID: Final = re.compile("[0-9a-fA-F]{33,40}")


@dataclass(frozen=True, slots=True)
class Proxied:
    """The module and the one type of file that a path asks for."""

    wanted: Wanted
    file_type: FileType


def read_proxied(path: str) -> Proxied | None:
    """What `file/SIGNATURE/file` asks for, the names equal but for upper and lower case; None for anything else."""
    parts = path.split("/")
    if len(parts) != 3 or not all(parts) or parts[0].lower() != parts[2].lower():
        return None
    name, signature = parts[0], parts[1]
    for prefix, ending, module, file_type in _PREFIXES:
        if signature.startswith(prefix) and name.lower().endswith(ending):
            return _by_code(name, signature.removeprefix(prefix), module, file_type)
    if name.lower().endswith(".pdb"):
        return _pdb(name, signature)
    return _by_code(name, signature, ModuleType.PE, FileType.PE)


# The longer prefixes first: those of code are their beginnings.
_PREFIXES: Final = (
    ("elf-buildid-sym-", ".debug", ModuleType.ELF, FileType.ELF_DEBUG),
    ("elf-buildid-", "", ModuleType.ELF, FileType.ELF_CODE),
    ("mach-uuid-sym-", ".dwarf", ModuleType.MACHO, FileType.MACH_DEBUG),
    ("mach-uuid-", "", ModuleType.MACHO, FileType.MACH_CODE),
)


def _by_code(name: str, text: str, module: ModuleType, file_type: FileType) -> Proxied | None:
    code_id = parse_code_id(text)
    if code_id is None:
        return None
    return Proxied(Wanted(module, code_id, name, None, name), file_type)


def _pdb(name: str, signature: str) -> Proxied | None:
    debug_id = DebugId.parse(signature) if _BREAKPAD_ID.fullmatch(signature) else None
    if debug_id is None:
        return None
    return Proxied(Wanted(ModuleType.PE, None, name, debug_id, name), FileType.PDB)
