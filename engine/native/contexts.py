"""The lines around lines of code, as JSON ready to be joined into frames."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock

from engine.formats.bytewise import FormatError
from engine.formats.portable_pdb import PortablePdb
from engine.formats.source_bundle import SourceBundle
from engine.formats.source_context import source_context
from engine.lookup.links import Linked
from engine.lookup.model import Candidate, SourceObject
from engine.lookup.source_objects import open_sources
from engine.native.fragments import json_text
from engine.native.memory import TwoGenerations

_OPEN_OBJECTS = 64
_TEXTS_BYTES = 32 * 1024 * 1024
_CONTEXTS_BYTES = 32 * 1024 * 1024
_ENTRY_BYTES = 300

# A file as a debug file names it, and a line of it (1-based).
Place = tuple[str, int]
# Fetches what lies behind links; waits, so nobody calls it at the gate.
Follow = Callable[[list[str]], Mapping[str, Linked]]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a frame says about its line: JSON fields with a comma in front, empty when there is nothing to say.

    `candidate` tells of the link that was followed for it.
    """

    fields: str = ""
    candidate: Candidate | None = None


NOTHING = Annotation()


@dataclass(frozen=True, slots=True)
class Annotated:
    """Annotations by place, and when those for links that failed are worth making anew (seconds since the epoch)."""

    by_place: Mapping[Place, Annotation]
    expires: float = float("inf")


@dataclass(frozen=True, slots=True)
class _Text:
    """A source file: its text with an identity of its content, or where it lies on the web, or both."""

    content: bytes | None
    identity: str
    url: str | None


class Contexts:
    """The source objects that a process has open, source files, and contexts, each as many as fit a limit."""

    def __init__(self, gate: AbstractContextManager[None]) -> None:
        self._gate = gate
        self._open: OrderedDict[str, SourceBundle | PortablePdb] = OrderedDict()
        self._lock = Lock()
        self._texts: TwoGenerations[tuple[str, str], _Text] = TwoGenerations(_TEXTS_BYTES)
        self._fields: TwoGenerations[tuple[str, int], str] = TwoGenerations(_CONTEXTS_BYTES)

    def annotate(self, source: SourceObject, places: Iterable[Place], follow: Follow) -> Annotated:
        """What there is to say about each place. Raises OSError when the source object is not there any more."""
        lines: dict[str, set[int]] = defaultdict(set)
        for path, line in places:
            lines[path].add(line)
        annotations: dict[Place, Annotation] = {}
        linked: dict[str, str] = {}
        for path in lines:
            with self._gate:
                text = self._text(source, path)
                if text.content is None and text.url is not None:
                    linked[path] = text.url
                annotations |= {(path, line): self._embedded(text, line) for line in lines[path]}
        found = follow(sorted(set(linked.values()))) if linked else {}
        for path, url in linked.items():
            with self._gate:
                annotations |= self._fetched(path, lines[path], found[url])
        return Annotated(annotations, min((each.expires for each in found.values()), default=float("inf")))

    def _embedded(self, text: _Text, line: int) -> Annotation:
        context = "" if text.content is None else self._context(text.identity, text.content, line)
        return Annotation(f"{context}{_link(text.url)}") if context or text.url else NOTHING

    def _fetched(self, path: str, lines: Iterable[int], linked: Linked) -> dict[Place, Annotation]:
        content = b""
        if linked.file is not None:
            try:
                content = linked.file.path.read_bytes()
            except OSError:
                # Removed meanwhile; it is fetched again the next time.
                content = b""
        identity = linked.file.identity if linked.file else ""
        return {
            (path, line): Annotation(f"{self._context(identity, content, line)}{_link(linked.url)}", linked.candidate)
            for line in lines
        }

    def _context(self, identity: str, content: bytes, line: int) -> str:
        if not content:
            return ""
        known = self._fields.get((identity, line))
        if known is None:
            known = _context_fields(content, line)
            self._fields.put((identity, line), known, _ENTRY_BYTES + len(known))
        return known

    def _text(self, source: SourceObject, path: str) -> _Text:
        key = (source.identity, path)
        known = self._texts.get(key)
        if known is None:
            known = _read(self._reader(source), source, path)
            self._texts.put(key, known, _ENTRY_BYTES + len(known.content or b""))
        return known

    def _reader(self, source: SourceObject) -> SourceBundle | PortablePdb:
        with self._lock:
            found = self._open.get(source.identity)
            if found is not None:
                self._open.move_to_end(source.identity)
                return found
        opened = open_sources(source.path, portable_pdb=source.portable_pdb)
        with self._lock:
            self._open[source.identity] = opened
            if len(self._open) > _OPEN_OBJECTS:
                self._open.popitem(last=False)
        return opened


def _read(reader: SourceBundle | PortablePdb, source: SourceObject, path: str) -> _Text:
    """A file that cannot be read is as good as absent."""
    identity = f"{source.identity} {path}"
    try:
        if isinstance(reader, PortablePdb):
            links = reader.source_links
            return _Text(reader.embedded_source(path), identity, links.find(path) if links else None)
        found = reader.find(path)
        return _Text(found.content, identity, _on_the_web(found.url)) if found else _Text(None, "", None)
    except FormatError:
        return _Text(None, "", None)


def _on_the_web(url: str | None) -> str | None:
    return url if url is not None and url.lower().startswith(("http://", "https://")) else None


def _context_fields(content: bytes, line: int) -> str:
    context = source_context(content, line)
    if context is None:
        return ""
    before = f',"pre_context":{json_text(context.pre_context)}' if context.pre_context else ""
    after = f',"post_context":{json_text(context.post_context)}' if context.post_context else ""
    return f'{before},"context_line":{json_text(context.context_line)}{after}'


def _link(url: str | None) -> str:
    return "" if url is None else f',"source_link":{json_text(url)}'
