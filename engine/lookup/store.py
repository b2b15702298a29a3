"""Where a process keeps what it looked up, and who converts for it."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

from engine.caches import Purges, SharedCache, Shelf
from engine.convert.client import Converter
from engine.lookup.flights import Flights
from engine.lookup.model import CficacheAnswer, SourceAnswer, SymcacheAnswer
from engine.sourcetypes.index import indexes
from engine.sourcetypes.sentry.listing import listings

DAY_SECONDS = 86_400.0
# Raised whenever what is stored, or how, changes; that of answers also with the rules by which places are found.
OBJECTS_VERSION = 4
SYMCACHES_VERSION = 1
ANSWERS_VERSION = 1
CFICACHES_VERSION = 2
PLAIN_FILES_VERSION = 1


def forget_lists(owners: Collection[str]) -> None:
    """Ask servers anew which files they have, after a purge of these owners' files (by their tags)."""
    listings.forget_of(owners)
    indexes.forget_of(owners)


@cache
def _library() -> str:
    """The version of the library that converts; finding it reads a dozen files."""
    return version("symbolic")


class Store:
    """The cache directory, the converter, and the greatest size in bytes of a downloaded file.

    Without `converter_socket`, or when nobody answers there, a converter is started on first use and ends with this
    process. Processes may share a directory; it must be local to the host. Safe to use from several threads.
    Hosts may have a `shared` cache besides.
    """

    def __init__(
        self,
        cache_dir: Path,
        converter_socket: Path | None = None,
        max_download_bytes: int = 15 * 1024**3,
        shared: SharedCache | None = None,
    ) -> None:
        self.cache_dir = cache_dir
        self.shared = shared
        self.max_download_bytes = max_download_bytes
        self.converter = Converter(converter_socket, name=str(cache_dir.absolute()))
        self.purges = Purges(cache_dir, forget_lists)
        self.objects = Shelf(cache_dir, "objects", str(OBJECTS_VERSION), 7 * DAY_SECONDS, self.purges)
        self.auxiliary = self._shelf("auxiliary")
        self.source_files = self._shelf("sourcefiles")
        self.flights: Flights[SymcacheAnswer] = Flights()
        self.cfi_flights: Flights[CficacheAnswer] = Flights()
        self.source_flights: Flights[SourceAnswer] = Flights()

    @cached_property
    def symcaches(self) -> Shelf:
        return self._converted("symcaches", SYMCACHES_VERSION)

    @cached_property
    def cficaches(self) -> Shelf:
        """Unwind rules with their index."""
        return self._converted("cficaches", CFICACHES_VERSION)

    @cached_property
    def answers(self) -> Shelf:
        """Whole answers, which are no better than what they were made from."""
        made_from = f"{OBJECTS_VERSION}-{SYMCACHES_VERSION}-{CFICACHES_VERSION}-{PLAIN_FILES_VERSION}"
        name = f"{ANSWERS_VERSION}-{made_from}-{_library()}"
        return Shelf(self.cache_dir, "answers", name, 7 * DAY_SECONDS, self.purges)

    def _converted(self, kind: str, own_version: int) -> Shelf:
        """Another release of the library may convert differently, and its files are another version."""
        name = f"{own_version}-{_library()}"
        return Shelf(self.cache_dir, kind, name, 7 * DAY_SECONDS, self.purges)

    def _shelf(self, kind: str) -> Shelf:
        """Files that are kept as they came."""
        return Shelf(self.cache_dir, kind, str(PLAIN_FILES_VERSION), DAY_SECONDS, self.purges)
