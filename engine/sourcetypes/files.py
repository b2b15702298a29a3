"""What the types have in common that keep files by the rules of a layout."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from engine.errors import FailureKind, LookupFailure
from engine.modules import ModuleType, Wanted
from engine.outgoing import Deadline, Opener
from engine.sourcetypes.base import NEVER, FileType, Location, Opening
from engine.sourcetypes.config import FilesConfig, LayoutType
from engine.sourcetypes.filters import wanted_paths
from engine.sourcetypes.index import indexes
from engine.sourcetypes.tries import Host, fetch_file

_NO_MODULE = Wanted(ModuleType.UNKNOWN)


class FilesSource:
    """Knows by its layout where files could lie; a type says how a place is shown and how its file is opened."""

    def __init__(self, config: FilesConfig, opening: Opening) -> None:
        self.id = config.id
        self.cache_key = opening.cache_key
        self.shared = opening.shared
        self.asks_first = config.has_index and config.layout.type is LayoutType.SYMSTORE
        # Without an index, what is offered follows from the configuration and the module alone.
        self.by_rule = not self.asks_first
        self._opening = opening
        self._layout = config.layout
        self._filters = config.filters

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id!r}>"

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        """Where the files of a module could lie, best first; with an index, only what it lists.

        An index that cannot be had lists nothing. Raises DeadlineExceeded while it is being read.
        """
        paths = wanted_paths(self._filters, self._layout, wanted, file_types)
        if paths and self.asks_first:
            index = indexes.find(self.cache_key, self._read, deadline)
            paths = [(file_type, path) for file_type, path in paths if path in index]
        return [(file_type, Location(path, self.show(path))) for file_type, path in paths]

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        """Stream the file to `target`, in up to three tries and at most five minutes. Raises LookupFailure."""
        fetch_file(self.opener(location.path, wanted), target, self.host(), deadline)

    def show(self, path: str) -> str:
        """The address of a file as candidates show it."""
        raise NotImplementedError

    def opener(self, path: str, wanted: Wanted) -> Opener:
        """What opens the file at `path`."""
        raise NotImplementedError

    def host(self) -> Host:
        """The host that is asked."""
        raise NotImplementedError

    def _read(self, path: str, limit: int, deadline: Deadline) -> bytes:
        target = _Small(limit)
        self.fetch(Location(path, ""), _NO_MODULE, target, deadline)
        return target.getvalue()


class _Small(io.BytesIO):
    """A file in memory that must not grow beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes are all that downloads write
        if self.tell() + len(data) > self._limit:
            raise LookupFailure(FailureKind.TOO_LARGE, "the file is larger than allowed")
        return super().write(data)
