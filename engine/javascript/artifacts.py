"""Who has the files of a release: the interface between the engine and stores of JavaScript artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol

from engine.modules import DebugId
from engine.outgoing import Deadline


class Kind(StrEnum):
    """What a file is wanted as."""

    MINIFIED_SOURCE = "minified_source"
    SOURCE_MAP = "source_map"
    SOURCE = "source"


class ResolvedWith(StrEnum):
    """By what an artifact was found, in the words of the wire."""

    DEBUG_ID = "debug-id"
    URL = "url"
    INDEX = "index"
    RELEASE = "release"
    RELEASE_OLD = "release-old"
    SCRAPING = "scraping"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Query:
    """What is known of one wanted file.

    `stems` are for servers that match in parts, `urls` are all forms in which the file's URL may have been uploaded,
    best first. `kind` is what the file is wanted as.
    """

    release: str | None
    dist: str | None
    stems: tuple[str, ...]
    debug_ids: tuple[DebugId | str, ...]
    urls: tuple[str, ...] = ()
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class ListedBundle:
    """An artifact bundle that may hold the file; `url` is empty where the provider fetches by id.

    The content behind an id never changes: what was fetched is kept under the provider's cache key and the id.
    """

    id: str
    url: str
    resolved_with: str


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A single file of a release, by the URL it was uploaded under. Header names are lower case."""

    id: str
    url: str
    abs_path: str
    headers: Mapping[str, str] = field(hash=False)
    resolved_with: str


Listed = ListedBundle | ListedFile


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An artifact that nearly was the wanted one: `kind` in one word, `text` as a sentence for people."""

    kind: str
    text: str


class ArtifactProvider(Protocol):
    """A store of artifacts that is ready to be asked. Safe to use from several threads."""

    @property
    def id(self) -> str:
        """The public id."""
        ...

    @property
    def cache_key(self) -> str:
        """Hex digest over the owner and the whole configuration, beginning with the owner's tag. Never shown."""
        ...

    def lookup(self, query: Query, deadline: Deadline) -> Sequence[Listed]:
        """What may answer the query, in no particular order.

        Raises DeadlineExceeded only: a lookup that fails finds nothing, and is logged.
        """
        ...

    def fetch(self, listed: Listed, target: BinaryIO, deadline: Deadline) -> None:
        """Stream the content to `target` (seekable, empty).

        Raises LookupFailure, which is remembered for a while (PassingFailure is not), or DeadlineExceeded.
        """
        ...

    def near_misses(self, query: Query) -> Sequence[NearMiss]:
        """What a person should know when nothing was found; nothing where the provider cannot tell."""
        ...
