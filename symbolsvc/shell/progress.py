"""The line that tells on a terminal what is being waited for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import BinaryIO, Final, TextIO

from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import NEVER, FileType, Location, Source
from symbolsvc.shell.words import printable

_WIDTH: Final = 100
_CLEAR: Final = "\r\033[K"


class Progress:
    """Writes over its own line; nothing where the output is no terminal. Safe to use from several threads."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._shown = output.isatty()
        self._mutex = threading.Lock()
        self._running = 0
        self._done = 0

    def tell(self, text: str) -> None:
        """Show a text instead of the last one."""
        if self._shown:
            with self._mutex:
                self._output.write(f"{_CLEAR}{printable(text)[:_WIDTH]}")
                self._output.flush()

    def clear(self) -> None:
        """Leave no trace."""
        if self._shown:
            with self._mutex:
                self._output.write(_CLEAR)
                self._output.flush()

    def began(self, name: str) -> None:
        """A file is being fetched."""
        with self._mutex:
            self._running += 1
        self.tell(f"fetching: {self._done} files done, {self._running} under way, {name}")

    def ended(self) -> None:
        with self._mutex:
            self._running -= 1
            self._done += 1
        self.tell(f"fetching: {self._done} files done, {self._running} under way")


class WatchedSource:
    """A source that tells when files are fetched from it."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self._source = source
        self._progress = progress
        self.id = source.id
        self.cache_key = source.cache_key
        self.shared = source.shared
        self.asks_first = source.asks_first

    def locate(
        self, wanted: Wanted, file_types: Sequence[FileType], deadline: Deadline = NEVER
    ) -> list[tuple[FileType, Location]]:
        return self._source.locate(wanted, file_types, deadline)

    def fetch(self, location: Location, wanted: Wanted, target: BinaryIO, deadline: Deadline) -> None:
        self._progress.began(location.path)
        try:
            self._source.fetch(location, wanted, target, deadline)
        finally:
            self._progress.ended()
