"""Looking up what the frames of a module still lack: names and lines, and what stands around those."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from engine.errors import LookupFailure
from engine.lookup.links import LinkDoor
from engine.lookup.model import SymcacheAnswer
from engine.native.contexts import NOTHING, Annotated, Annotation, Contexts, Place
from engine.native.demangle import Demangler
from engine.native.fragments import NO_SYMBOL, Fragment, FragmentCache
from engine.native.managed import NO_LINE, ManagedLine, ManagedTable, OpenPortablePdbs, Spot, look_up
from engine.native.places import Seat
from engine.native.renaming import NO_RENAMING, MapError, Renamings
from engine.native.symcache import Location, OpenSymcaches, SymcacheError
from engine.run.sourced import Sourced

# Addresses that are looked up before others get their turn at the gate.
_BATCH = 500
T = TypeVar("T", int, Spot)


class Unreadable(Exception):
    """The file with a module's names is gone or cannot be read since it was found."""


class SourcesGone(Exception):
    """The file with a module's sources is gone or cannot be read since it was found."""


@dataclass(frozen=True, slots=True)
class Readers:
    """What a process has open and remembers."""

    gate: AbstractContextManager[None]
    demangler: Demangler
    fragments: FragmentCache
    symcaches: OpenSymcaches
    renamings: Renamings
    portable_pdbs: OpenPortablePdbs
    contexts: Contexts


@dataclass(frozen=True, slots=True)
class Around:
    """The sources of a module as one request reaches them."""

    sourced: Sourced
    door: LinkDoor
    annotate: Callable[[Iterable[Place]], Annotated]

    def get(self, places: Collection[Place]) -> Mapping[Place, Annotation]:
        """What there is to say about each place. Raises SourcesGone, and DeadlineExceeded while links are followed."""
        if not places:
            return {}
        try:
            found = self.annotate(places)
        except (OSError, LookupFailure) as error:
            raise SourcesGone from error
        self.sourced.limit(self.door, found.expires)
        return found.by_place


def fill(seat: Seat, answer: SymcacheAnswer, around: Around | None, readers: Readers) -> None:
    """Look up what a seat lacks. Raises Unreadable, SourcesGone, and DeadlineExceeded while links are followed."""
    try:
        if seat.managed is not None:
            _fill_managed(seat.managed, answer, around, readers)
        else:
            _fill_native(seat, answer, around, readers)
    except (SymcacheError, MapError, OSError, LookupFailure) as error:
        raise Unreadable from error


def _fill_native(seat: Seat, answer: SymcacheAnswer, around: Around | None, readers: Readers) -> None:
    if answer.identity is None or answer.path is None:
        return
    symcache = readers.symcaches.get(answer.identity, answer.path)
    renaming = readers.renamings.get(answer.maps)
    for batch in _batches(seat.lacking):
        with readers.gate:
            found = symcache.lookup(batch)
            if renaming is not NO_RENAMING:
                found = {at: tuple(map(renaming.apply, here)) for at, here in found.items()}
            if around is None:
                demangler = readers.demangler
                made = [(at, Fragment(here, demangler) if here else NO_SYMBOL) for at, here in found.items()]
                readers.fragments.add(seat.fragments, made)
        if around is not None:
            lines = around.get({_place(here) for here in chain(*found.values()) if here.path})
            with readers.gate:
                made = [(at, _sourced(here, lines, readers.demangler)) for at, here in found.items()]
                readers.fragments.add(seat.fragments, made)
    seat.lacking.clear()


def _sourced(here: tuple[Location, ...], lines: Mapping[Place, Annotation], demangler: Demangler) -> Fragment:
    if not here:
        return NO_SYMBOL
    around = [lines.get(_place(location), NOTHING) for location in here]
    candidates = tuple(each.candidate for each in around if each.candidate)
    return Fragment(here, demangler, [each.fields for each in around], candidates)


def _place(location: Location) -> Place:
    return location.path or "", location.line


def _fill_managed(table: ManagedTable, answer: SymcacheAnswer, around: Around | None, readers: Readers) -> None:
    if answer.identity is None or answer.path is None:
        return
    file = readers.portable_pdbs.get(answer.identity, answer.path)
    for batch in _batches(table.lacking):
        with readers.gate:
            found = look_up(file, batch)
        places = {(point.document, point.line) for point in found.values() if point}
        lines = around.get(places) if around is not None else {}
        for spot, point in found.items():
            if point is None:
                table.put(spot, NO_LINE)
                continue
            about = lines.get((point.document, point.line), NOTHING)
            table.put(spot, ManagedLine(point, about.fields, about.candidate))
    table.lacking.clear()


def _batches(wanted: Iterable[T]) -> Iterator[list[T]]:
    ordered = sorted(wanted)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]
