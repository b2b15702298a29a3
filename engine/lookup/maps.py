"""Files that turn the names in a debug file into those that people wrote: BCSymbolMaps and IL2CPP mappings."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from uuid import UUID

from engine.caches import Miss
from engine.formats.bcsymbolmap import BcSymbolMap
from engine.formats.bytewise import mapped
from engine.formats.il2cpp import LineMapping
from engine.formats.uuid_map import original_uuid
from engine.lookup.crew import run_all
from engine.lookup.model import MapKind, NameMap
from engine.lookup.plain_files import PlainFile
from engine.lookup.single_files import SingleFile, find_file
from engine.lookup.store import Store
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Source

# A map is read into memory as a whole.
MAX_BYTES = 128 << 20
_HIDDEN = b"_hidden#"
_CHECKS: dict[FileType, Callable[[memoryview], object]] = {
    FileType.UUID_MAP: original_uuid,
    FileType.BCSYMBOLMAP: BcSymbolMap,
    FileType.IL2CPP: LineMapping,
}


@dataclass(frozen=True, slots=True)
class MapSearch:
    """Where the maps of one module are searched for. `misses` are those of maps that are not there."""

    wanted: Wanted
    sources: Sequence[Source]
    scope: str
    store: Store
    deadline: Deadline
    misses: list[Miss] = field(default_factory=list)

    @property
    def expires(self) -> float:
        """When it is worth looking again, in seconds since the epoch; 0 where nobody may believe what was missed."""
        if any(miss.passing for miss in self.misses):
            return 0.0
        return min((miss.expires for miss in self.misses), default=float("inf"))

    def maps_for(self, symcache: Path) -> tuple[NameMap, ...]:
        """The maps that what this symcache says has to go through. Raises DeadlineExceeded and OSError."""
        tasks: dict[MapKind, Callable[[], PlainFile | None]] = {
            MapKind.IL2CPP: partial(self._find, FileType.IL2CPP, self.wanted)
        }
        if self.wanted.type is ModuleType.MACHO and has_hidden_names(symcache):
            tasks[MapKind.BCSYMBOLMAP] = self._bcsymbolmap
        found = zip(tasks, run_all(list(tasks.values()), self.deadline), strict=True)
        return tuple(NameMap(kind, file.path, file.identity) for kind, file in found if file is not None)

    def _bcsymbolmap(self) -> PlainFile | None:
        """A hidden file's UUID leads to the original one's, and that to the names."""
        if self.wanted.debug_id is None:
            return None
        uuid_map = self._find(FileType.UUID_MAP, self.wanted)
        if uuid_map is None:
            return None
        original = DebugId(_read_uuid(uuid_map))
        return self._find(FileType.BCSYMBOLMAP, replace(self.wanted, code_id=None, debug_id=original))

    def _find(self, file_type: FileType, wanted: Wanted) -> PlainFile | None:
        kind = SingleFile(file_type, MAX_BYTES, _CHECKS[file_type])
        found = find_file(
            kind,
            wanted,
            self.sources,
            scope=self.scope,
            store=self.store,
            deadline=self.deadline,
            missed=self.misses.append,
        )
        return found if isinstance(found, PlainFile) else None


def has_hidden_names(symcache: Path) -> bool:
    """Whether names in a symcache stand for others. Raises OSError."""
    with open(symcache, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(_HIDDEN) >= 0


def _read_uuid(file: PlainFile) -> UUID:
    with open(file.path, "rb") as opened:
        return original_uuid(mapped(opened))
