"""What is known about the source files of modules, beside what is known about their names."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from engine.caches import Labels
from engine.lookup.links import LinkDoor, Linked, follow_links
from engine.lookup.model import Candidate, SourceAnswer, SourceObject, SymcacheAnswer
from engine.lookup.store import Store
from engine.native.contexts import Follow
from engine.native.images import ImageFindings, findings
from engine.native.wire import Scraping
from engine.outgoing import Deadline, Trust

_MOST_TABLES = 16
_numbers = count()


class Sourced:
    """The answer of a lookup for sources, and what follows from it for every request."""

    __slots__ = ("_base", "_tables", "answer", "findings", "object")

    def __init__(self, names: SymcacheAnswer, answer: SourceAnswer) -> None:
        self.answer = answer
        self.object = answer.object
        self.findings: ImageFindings = findings(names, answer.candidates, has_sources=answer.object is not None)
        self._base = names.identity or ""
        self._tables: dict[LinkDoor, tuple[str, float]] = {}

    def table(self, source: SourceObject, door: LinkDoor, now: float) -> str:
        """The key of what addresses of the module mean with this object; `now` in seconds since the epoch.

        What is embedded in a file is decided by that file, whoever asks. What lies behind its links is not: that is
        kept apart for each way to go there, as long as this answer holds and as the links that failed are not worth
        another try.
        """
        if not source.linked:
            return f"{self._base} {source.identity}"
        key, expires = self._tables.get(door, ("", 0.0))
        if expires <= now:
            key = f"{self._base} {source.identity} {next(_numbers)}"
            if len(self._tables) >= _MOST_TABLES:
                self._tables = {}
            self._tables[door] = (key, float("inf"))
        return key

    def limit(self, door: LinkDoor, expires: float) -> None:
        """What was made for this door holds until `expires` at most."""
        key, known = self._tables.get(door, ("", 0.0))
        if expires < known:
            self._tables[door] = (key, expires)

    def joined(self, names: SymcacheAnswer, links: Mapping[str, Candidate]) -> ImageFindings:
        """The findings with the links that were followed, by URL."""
        return findings(names, [*self.answer.candidates, *links.values()], has_sources=self.object is not None)


def door_of(scraping: Scraping | None, trust: Trust) -> LinkDoor:
    """How the links of a request may be followed; without its headers none goes along."""
    if scraping is None or not scraping.enabled:
        return LinkDoor(trust)
    return LinkDoor(trust, tuple(sorted(scraping.headers.items())), tuple(scraping.allowed_origins))


def follower(labels: Labels, door: LinkDoor, store: Store, deadline: Deadline) -> Follow:
    """Fetches the links of one source object."""

    def follow(urls: list[str]) -> Mapping[str, Linked]:
        return follow_links(urls, labels, door, store=store, deadline=deadline)

    return follow
