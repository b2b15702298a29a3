"""Whole answers of lookups on disk, so that a process which knows nothing needs one small file to know a module.

An answer follows from the places that were looked at, so what these follow from is its key: the module, the scope, and
the sources with their whole configurations; of sources that list their files, the places themselves. It is believed as
long as each of its tries is, and purged with any of them. What rests on a failure that nobody remembers is not kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from engine.caches import Labels, Miss, Shelf
from engine.lookup.derived import DerivedFile, ready_file
from engine.lookup.gathering import NOBODY, Gathered, Listing, list_places, visit
from engine.lookup.model import Candidate, Features, ModuleRecord, ModuleStatus
from engine.lookup.objects import InternalFailure, ObjectFile, Outcome, Place, labels_of
from engine.lookup.store import Store
from engine.modules import Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType, Source

# How long an answer without any failure in it is taken as it is.
ANSWER_SECONDS = 600.0


class InPlace(msgspec.Struct, frozen=True):
    """An object that is used where it lies: its key, the hex digest of its file, and the checksum of its tables."""

    key: str
    digest: str
    checksum: int | None


class KeptAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a lookup found out.

    `derived` is the key of the file that was made, `objects` are those of the files that were there. `expires` is when
    the first of the tries is worth repeating, in seconds since the epoch, None when every file is there. A file that is
    used as it came is `in_place`.
    """

    status: ModuleStatus
    arch: str
    features: Features
    candidates: tuple[Candidate, ...]
    derived: str = ""
    objects: tuple[str, ...] = ()
    expires: float | None = None
    module_record: ModuleRecord | None = None
    in_place: InPlace | None = None

    def made(self, shelf: Shelf) -> DerivedFile | None:
        """The file that was made, verified; None where there is none (any more)."""
        try:
            found = ready_file(shelf, self.derived) if self.derived else None
        except OSError:
            return None
        return found if isinstance(found, DerivedFile) else None

    @property
    def valid_until(self) -> float:
        """As that of any other answer, in seconds since the epoch."""
        again = time.time() + ANSWER_SECONDS
        return again if self.expires is None else min(self.expires, again)


_decoder = msgspec.json.Decoder(KeptAnswer)


@dataclass(frozen=True, slots=True)
class Quest:
    """What is looked for, where, and as which kinds of files."""

    wanted: Wanted
    sources: Sequence[Source]
    file_types: Sequence[FileType]
    scope: str
    store: Store
    deadline: Deadline

    def places(self) -> Listing:
        """All places to look at, and the sources that have none. Raises DeadlineExceeded."""
        return list_places(self.wanted, self.sources, self.file_types, self.scope, self.deadline)

    @property
    def labels(self) -> list[Labels]:
        """What the answer belongs to."""
        return [labels_of(source, self.wanted, self.scope) for source in self.sources]

    @property
    def by_rule(self) -> bool:
        """Whether all places follow from the sources' configurations and the module."""
        return all(getattr(source, "by_rule", False) for source in self.sources)

    def key(self, purpose: str, places: Sequence[Place]) -> str:
        """Tells all questions apart that may have different answers; `places` are those that follow from no rule."""
        wanted = self.wanted
        debug_id = wanted.debug_id and (wanted.debug_id.uuid.int, wanted.debug_id.appendix)
        about = (
            wanted.type.value,
            wanted.code_id,
            wanted.code_file,
            debug_id,
            wanted.debug_file,
            wanted.debug_checksum,
        )
        sources = [(source.id, source.cache_key, source.shared) for source in self.sources]
        offered = [(place.source.id, place.key, place.location.uri, place.location.path) for place in places]
        text = repr((purpose, self.scope, about, [str(each) for each in self.file_types], sources, offered))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the answer to one question is kept; `began` is when it was asked, in seconds since the epoch."""

    quest: Quest
    key: str
    began: float
    listing: Listing | None

    @classmethod
    def of(cls, quest: Quest, purpose: str) -> Keeping:
        """Asks sources that list their files. Raises DeadlineExceeded."""
        began = time.time()
        listing = None if quest.by_rule else quest.places()
        return cls(quest, quest.key(purpose, listing[0] if listing else ()), began, listing)

    def visit(self, spared: Mapping[str, Miss] = NOBODY) -> Gathered:
        """Look at all places at once, as `gather` does. Raises DeadlineExceeded."""
        quest = self.quest
        places, empty = self.listing or quest.places()
        return visit(places, empty, store=quest.store, deadline=quest.deadline, spared=spared)

    def read(self) -> KeptAnswer | None:
        """The answer, while it holds; reads one small file."""
        found = self.quest.store.answers.read(self.key)
        if found is None or isinstance(found, Miss):
            return None
        try:
            kept = _decoder.decode(found)
        except msgspec.DecodeError:
            return None
        return kept if kept.expires is None or kept.expires > time.time() else None

    def used(self, kept: KeptAnswer) -> None:
        """What the answer rests on is kept as long as the answer is used."""
        for key in kept.objects:
            self.quest.store.objects.keep(key)

    def write(self, kept: KeptAnswer, gathered: Gathered) -> None:
        """Keep an answer whose tries can all be believed by others. That it cannot be written is nobody's failure."""
        if not gathered.tries or not all(is_lasting(attempt.outcome) for attempt in gathered.tries):
            return
        store, labels = self.quest.store, self.quest.labels
        if not store.purges.cover_any(labels, self.began):
            store.answers.write_answer(self.key, msgspec.json.encode(kept), labels, created=self.began)


def objects_of(gathered: Gathered) -> tuple[str, ...]:
    """The keys of the files that were there."""
    return tuple(attempt.place.key for attempt in gathered.tries if isinstance(attempt.outcome, ObjectFile))


def is_lasting(outcome: Outcome) -> bool:
    """Whether other processes may believe what came of a try."""
    return not isinstance(outcome, InternalFailure) and not (isinstance(outcome, Miss) and outcome.passing)


def finite(expires: float) -> float | None:
    """JSON knows no infinity."""
    return None if expires == float("inf") else expires
