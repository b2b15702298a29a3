"""From a frame as it ran to the frames that were written, by one mapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.jvm.filenames import file_of
from engine.jvm.mapping import Mapping
from engine.jvm.model import ClassMapping, Entry, Range, Rewrite


@dataclass(frozen=True, slots=True)
class Place:
    """A frame as it ran: dotted class, method, and the 1-based line, None when it is not known.

    `parameters` are the original types as mapping files write them, None when they are not known.
    """

    owner: str
    method: str
    line: int | None
    parameters: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """A frame as it was written. `line` is 0 when nobody knows it."""

    owner: str
    method: str
    line: int
    file: str
    synthesized: bool = False


@dataclass(frozen=True, slots=True)
class Retraced:
    """What one frame stands for, innermost first, and the rules for leaving frames out.

    `whole` is false when only the class, or the class and the method, were found.
    """

    frames: tuple[Written, ...]
    rewrites: tuple[Rewrite, ...] = ()
    whole: bool = True


def retrace(mapping: Mapping, place: Place) -> Retraced | None:
    """The frames behind `place`; None when the mapping does not know the class."""
    known = mapping.find(place.owner)
    if known is None:
        return None
    entries = known.methods.get(place.method, ())
    chosen = _chosen(entries, place)
    if chosen:
        frames = tuple(_written(mapping, known, entry, line) for entry, line in chosen)
        rewrites = tuple(rule for entry, _ in chosen for rule in entry.rewrites)
        return Retraced(frames, rewrites)
    method = _only_name(entries) if place.line is None else None
    return Retraced((_kept(known, place, method),), whole=False)


def is_outline(mapping: Mapping, place: Place) -> bool:
    """Whether the frame is code that R8 moved out of several methods."""
    known = mapping.find(place.owner)
    entries = known.methods.get(place.method, ()) if known else ()
    return any(entry.outline for entry in _matching(entries, place.line or 0))


def callsite_line(mapping: Mapping, place: Place, outline_line: int) -> int | None:
    """The line of the method itself from which its outlined code at `outline_line` was taken; None if nobody knows."""
    known = mapping.find(place.owner)
    entries = known.methods.get(place.method, ()) if known else ()
    for entry in _matching(entries, place.line or 0):
        for callsite in entry.callsites:
            if outline_line in callsite.positions:
                return callsite.positions[outline_line]
    return None


def _chosen(entries: Sequence[Entry], place: Place) -> list[tuple[Entry, int]]:
    """The entries that the place stands for, innermost first, each with its original line."""
    if place.line is not None and place.line > 0:
        return [(entry, entry.line_at(place.line)) for entry in _matching(entries, place.line)]
    if place.parameters is not None:
        entries = [entry for entry in entries if entry.parameters == place.parameters]
    return _lineless(entries)


def _matching(entries: Sequence[Entry], line: int) -> list[Entry]:
    """The entries for a line: those whose lines hold it, or all where none tells lines."""
    if any(entry.minified is not None for entry in entries):
        return [entry for entry in entries if entry.minified is not None and line in entry.minified]
    return _distinct(entries)


def _lineless(entries: Sequence[Entry]) -> list[tuple[Entry, int]]:
    """What a place without a line stands for.

    Entries of the same lines are one chain of inlined calls. Of several chains nobody knows which one it was: each
    method is named once, without a line.
    """
    chains = [list(chain) for _, chain in groupby(entries, _lines_of)]
    if len(chains) == 1 and chains[0][0].minified is not None:
        return [(entry, entry.original.start if entry.original else 0) for entry in chains[0]]
    return [(entry, 0) for entry in _distinct(chain[-1] for chain in chains)]


def _lines_of(entry: Entry) -> Range | int:
    """The same for entries of one chain; entries without lines are each for themselves."""
    return entry.minified or id(entry)


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    """Each method once."""
    return list({(entry.owner, entry.name): entry for entry in reversed(list(entries))}.values())[::-1]


def _only_name(entries: Sequence[Entry]) -> str | None:
    """The name of the method, when all entries agree on it."""
    names = {(entry.owner, entry.name) for entry in entries}
    return entries[0].name if len(names) == 1 else None


def _written(mapping: Mapping, known: ClassMapping, entry: Entry, line: int) -> Written:
    owner = entry.owner or known.original
    other = known if owner == known.original else mapping.find_original(owner)
    file = file_of(owner, other.source_file if other else None, known.source_file)
    return Written(owner, entry.name, line, file, entry.synthesized)


def _kept(known: ClassMapping, place: Place, method: str | None) -> Written:
    """A frame of which only the class, or the class and the method, are known."""
    file = file_of(known.original, known.source_file, known.source_file)
    return Written(known.original, method or place.method, place.line or 0, file)
