"""What a path on a symbol server asks for: the path rules of all layouts, turned around.

One table serves all layouts at once, since no two of them give one path different meanings that harm: where a path can
be read in several ways, each is a reading. Clients differ in upper and lower case, so matching ignores it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from engine.modules import DebugId, ModuleType, Wanted
from engine.sourcetypes.base import FileType

# Longer code ids than the time stamp and size of a PE file are those of other formats.
_PE_DIGITS: Final = 16
_UUID_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """Files of these types, best first, with this code id (lower-case hex) or one of these debug ids.

    A file with a later age serves too, so age 0 stands for any. `name` is the file's name where the path has one.
    """

    file_types: tuple[FileType, ...]
    module: ModuleType
    code_id: str = ""
    debug_ids: tuple[DebugId, ...] = ()
    name: str = ""

    @property
    def wanted(self) -> Wanted | None:
        """The module as other symbol servers are asked for it; None where nobody would have such a file."""
        if self.module is ModuleType.PE and not self.debug_ids and len(self.code_id) > _PE_DIGITS:
            return None
        debug_id = self.debug_ids[0] if self.debug_ids else None
        return Wanted(self.module, self.code_id or None, self.name or None, debug_id, self.name or None)


@dataclass(frozen=True, slots=True)
class SourceAsked:
    """A source file of an ELF file with this build id, by its path as the debug information has it."""

    build_id: str
    path: str

    @property
    def bundle(self) -> Reading:
        """The source bundle that would have it."""
        return _bundle_of(self.build_id)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern of lower-case paths. Its groups name the ids: code, debug, uuid, portable, or (id and rest) any."""

    pattern: re.Pattern[str]
    file_types: tuple[FileType, ...]
    module: ModuleType
    # The debug id that is made of an ELF file's build id counts too: files without a code id have only that.
    derived: bool = field(default=False)


_NAME: Final = "(?P<name>[^/]+)"
_CODE: Final = "(?P<code>[0-9a-f]{1,128})"
_DEBUG: Final = "(?P<debug>[0-9a-f]{33,40})"
_UUID: Final = "(?P<uuid>[0-9a-f]{32})"
_PORTABLE: Final = "(?P<portable>[0-9a-f]{32})ffffffff"
_SPLIT: Final = "(?P<id>[0-9a-f]{2})/(?P<rest>[0-9a-f]{1,126})"
_IN_FOURS: Final = "(?P<fours>(?:[0-9a-f]{4}/){5}[0-9a-f]{12})"
_PDBS: Final = (FileType.PDB, FileType.PORTABLE_PDB)
_BUNDLE: Final = (FileType.SOURCE_BUNDLE,)
_BY_ID: Final = {
    "executable": (FileType.PE, FileType.ELF_CODE, FileType.MACH_CODE, FileType.WASM_CODE),
    "debuginfo": (*_PDBS, FileType.ELF_DEBUG, FileType.MACH_DEBUG, FileType.WASM_DEBUG),
    "breakpad": (FileType.BREAKPAD,),
    "sourcebundle": _BUNDLE,
    "uuidmap": (FileType.UUID_MAP,),
    "bcsymbolmap": (FileType.BCSYMBOLMAP,),
    "il2cpp": (FileType.IL2CPP,),
}
_DERIVED: Final = frozenset({"breakpad", "sourcebundle", "il2cpp"})
_ANYTHING: Final = tuple(
    sorted(FileType, key=lambda kind: (kind in _BY_ID["executable"], kind not in _BY_ID["debuginfo"]))
)


def _rule(pattern: str, file_types: tuple[FileType, ...], module: ModuleType, *, derived: bool = False) -> _Rule:
    return _Rule(re.compile(pattern), file_types, module, derived)


_RULES: Final = (
    # symstore and ssqp: the name, the key, the name again
    _rule(f"{_NAME}/elf-buildid-sym-{_CODE}/(?P=name)", (FileType.ELF_DEBUG,), ModuleType.ELF),
    _rule(f"{_NAME}/elf-buildid-{_CODE}/(?P=name)", (FileType.ELF_CODE,), ModuleType.ELF),
    _rule(f"{_NAME}/mach-uuid-sym-{_UUID}/(?P=name)", (FileType.MACH_DEBUG,), ModuleType.MACHO),
    _rule(f"{_NAME}/mach-uuid-{_UUID}/(?P=name)", (FileType.MACH_CODE,), ModuleType.MACHO),
    _rule(f"{_NAME}/{_PORTABLE}/(?P=name)", (FileType.PORTABLE_PDB, FileType.PDB), ModuleType.PE_DOTNET),
    _rule(f"{_NAME}/{_DEBUG}/(?P=name)", _PDBS, ModuleType.PE),
    _rule(f"{_NAME}/{_CODE}/(?P=name)", (FileType.PE,), ModuleType.PE),
    # Breakpad, and source bundles beside debug files
    _rule(rf"{_NAME}/{_DEBUG}/[^/]+\.sym", (FileType.BREAKPAD,), ModuleType.UNKNOWN),
    _rule(rf"{_NAME}/{_PORTABLE}/[^/]+\.src\.zip", _BUNDLE, ModuleType.PE_DOTNET),
    _rule(rf"{_NAME}/{_DEBUG}/[^/]+\.src\.zip", _BUNDLE, ModuleType.PE),
    # slashsymbols
    _rule(f"{_NAME}/{_CODE}/symbols", _ANYTHING, ModuleType.UNKNOWN),
    # native: build ids split after two digits, UUIDs in groups of four
    _rule(_SPLIT, (FileType.ELF_CODE, FileType.WASM_CODE), ModuleType.ELF),
    _rule(rf"{_SPLIT}\.debug", (FileType.ELF_DEBUG, FileType.WASM_DEBUG), ModuleType.ELF),
    _rule(rf"{_SPLIT}\.src\.zip", _BUNDLE, ModuleType.ELF, derived=True),
    _rule(_IN_FOURS, (FileType.MACH_DEBUG,), ModuleType.MACHO),
    _rule(rf"{_IN_FOURS}\.app", (FileType.MACH_CODE,), ModuleType.MACHO),
    _rule(rf"{_IN_FOURS}\.src\.zip", _BUNDLE, ModuleType.MACHO),
    # debuginfod
    _rule(f"(?:buildid/)?{_CODE}/executable", (FileType.ELF_CODE,), ModuleType.ELF),
    _rule(f"(?:buildid/)?{_CODE}/debuginfo", (FileType.ELF_DEBUG,), ModuleType.ELF),
    # unified
    *(_rule(f"{_SPLIT}/{word}", kinds, ModuleType.UNKNOWN, derived=word in _DERIVED) for word, kinds in _BY_ID.items()),
)
_SOURCE: Final = re.compile(r"(?:buildid/)?(?P<id>[0-9a-f]{2,128})/source/(?P<path>.+)", re.IGNORECASE | re.DOTALL)


def read(path: str) -> tuple[Reading, ...]:
    """Every way to read a path (relative to the server, without a leading slash); none for what is no file's path.

    Compressed forms (`crash.pd_`) are no paths here: whoever asks for one asks for the plain file next.
    """
    plain = _without_tier(path)
    lowered = plain.lower()
    matches = ((rule, rule.pattern.fullmatch(lowered)) for rule in _RULES)
    return tuple(_reading(rule, match, plain) for rule, match in matches if match)


def read_source(path: str) -> SourceAsked | None:
    """The source file that a debuginfod client asks for, if it does."""
    match = _SOURCE.fullmatch(path)
    return SourceAsked(match["id"].lower(), match["path"]) if match else None


def _bundle_of(build_id: str) -> Reading:
    derived = derived_debug_id(build_id)
    return Reading(_BUNDLE, ModuleType.ELF, build_id, () if derived is None else (derived,))


def derived_debug_id(build_id: str) -> DebugId | None:
    """The debug id of a little-endian ELF file with this build id, as crash reporters make it."""
    if len(build_id) % 2:
        return None
    return DebugId(UUID(bytes_le=bytes.fromhex(build_id[:_UUID_DIGITS].ljust(_UUID_DIGITS, "0"))))


def _without_tier(path: str) -> str:
    """The path without the directory that symstore's two-tier form has above the names."""
    tier, _, rest = path.partition("/")
    own = rest[:1] if rest[1:2] in (".", "/") else rest[:2]
    return rest if rest.count("/") == 2 and tier.lower() == own.lower() else path


def _reading(rule: _Rule, match: re.Match[str], path: str) -> Reading:
    groups = match.groupdict()
    name = path.split("/")[0] if "name" in groups else ""
    code_id, debug_ids = _ids(groups)
    derived = derived_debug_id(code_id) if rule.derived else None
    if derived is not None:
        debug_ids = (*debug_ids, derived)
    return Reading(rule.file_types, rule.module, code_id, debug_ids, name)


def _ids(groups: dict[str, str]) -> tuple[str, tuple[DebugId, ...]]:
    """The code id and the debug ids that the groups of a match give."""
    for group in ("uuid", "fours", "portable"):
        if group in groups:
            digits = groups[group].replace("/", "")
            return "" if group == "portable" else digits, (DebugId(UUID(hex=digits)),)
    if "debug" in groups:
        return "", _parsed(groups["debug"])
    if "code" in groups:
        return groups["code"], ()
    digits = groups["id"] + groups["rest"]
    return digits, _parsed(digits) if len(digits) >= _UUID_DIGITS else ()


def _parsed(digits: str) -> tuple[DebugId, ...]:
    found = DebugId.parse(digits)
    return () if found is None else (found,)
