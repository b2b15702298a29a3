"""A directory as a symbol source: files are found by their ids, wherever they lie."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO, Final

from engine.convert.wire import ObjectFacts
from engine.errors import FailureKind, LookupFailure
from engine.modules import DebugId, Wanted, parse_code_id
from engine.outgoing import Deadline
from engine.owners import owner_tag
from engine.sourcetypes.base import NEVER, FileType, Location
from symbolsvc.shell.scan import FoundFile, Scan

OWNER: Final = "shell"
_DEBUG_KINDS: Final = frozenset({"dbg"})
_TYPES: Final = {
    "elf": (FileType.ELF_CODE, FileType.ELF_DEBUG),
    "macho": (FileType.MACH_CODE, FileType.MACH_DEBUG),
    "wasm": (FileType.WASM_CODE, FileType.WASM_DEBUG),
    "pe": (FileType.PE, FileType.PE),
    "pdb": (FileType.PDB, FileType.PDB),
    "portablepdb": (FileType.PORTABLE_PDB, FileType.PORTABLE_PDB),
    "breakpad": (FileType.BREAKPAD, FileType.BREAKPAD),
    "sourcebundle": (FileType.SOURCE_BUNDLE, FileType.SOURCE_BUNDLE),
}
_SUFFIXES: Final = (".debug", ".dwarf", ".dbg", ".sym", ".gz", ".zst", ".zip", ".pd_", ".pdb", ".exe", ".dll")


class FolderSource:
    """Offers the files of a scan. Its id is the directory as it was named."""

    shared = False
    asks_first = False

    def __init__(self, name: str, found: Scan) -> None:
        self.id = name
        self.cache_key = owner_tag(OWNER) + hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        self.found = found
        self._by_debug_id: dict[str, list[tuple[FoundFile, ObjectFacts]]] = defaultdict(list)
        self._by_code_id: dict[str, list[tuple[FoundFile, ObjectFacts]]] = defaultdict(list)
        for file in found.files:
            for facts in file.objects:
                self._index(file, facts)

    def _index(self, file: FoundFile, facts: ObjectFacts) -> None:
        debug_id = DebugId.parse(facts.debug_id)
        if debug_id is not None and debug_id.uuid.int:
            self._by_debug_id[debug_id.uuid.hex].append((file, facts))
        code_id = parse_code_id(facts.code_id) if facts.code_id else None
        if code_id:
            self._by_code_id[code_id].append((file, facts))

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """The files with the ids of the module, in the order of the types; never those of another build."""
        located: dict[Path, tuple[FileType, Location]] = {}
        for file, facts in self._matching(wanted):
            file_type = _type_of(facts)
            if file_type is not None and file_type in file_types:
                location = Location(str(file.path), f"file://{file.path.absolute()}", file.stamp)
                located.setdefault(file.path, (file_type, location))
        return sorted(located.values(), key=lambda entry: file_types.index(entry[0]))

    def _matching(self, wanted: Wanted) -> list[tuple[FoundFile, ObjectFacts]]:
        found = []
        asked = wanted.debug_id
        if asked is not None:
            for file, facts in self._by_debug_id.get(asked.uuid.hex, ()):
                own = DebugId.parse(facts.debug_id)
                if own is not None and own.appendix >= asked.appendix:
                    found.append((file, facts))
        return found + (self._by_code_id.get(wanted.code_id, []) if wanted.code_id else [])

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Copy the file to `target`. Raises LookupFailure."""
        try:
            with open(location.path, "rb") as file:
                copyfileobj(file, target, 1 << 20)
        except OSError as error:
            raise LookupFailure(FailureKind.UNREACHABLE, f"download failed: {error.strerror}") from None

    def others(self, name: str) -> list[FoundFile]:
        """Files that are called like a module, whatever their ids."""
        wanted = _bare(name)
        return [file for file in self.found.files if wanted and _bare(file.path.name) == wanted]


def _type_of(facts: ObjectFacts) -> FileType | None:
    code, debug = _TYPES.get(facts.file_format, (None, None))
    return debug if facts.kind in _DEBUG_KINDS else code


def _bare(name: str) -> str:
    """A file's name without directories and without what is put behind it for debug files."""
    bare = name.replace("\\", "/").rpartition("/")[2].lower()
    while (suffix := next((each for each in _SUFFIXES if bare.endswith(each)), None)) is not None:
        bare = bare.removesuffix(suffix)
    return bare
