"""The scripts of a request: each with its text, its map, and what is known about the positions in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.errors import FailureKind, LookupFailure
from engine.javascript.acquisition import EMBEDDED, Acquisition, Artifact, FileKey, resolved_map_url
from engine.javascript.artifacts import Kind
from engine.javascript.context import Context, context_of, line_ends
from engine.javascript.inputs import Text
from engine.javascript.maps import Pair, Position, SourceMaps, Token
from engine.javascript.scraping import Reason, ScrapeFailure
from engine.modules import DebugId
from engine.native.gate import Gate
from engine.native.memory import TwoGenerations
from engine.outgoing import Deadline

CONTEXTS_BYTES = 64 << 20
ENDS_BYTES = 32 << 20
_CONTEXT_OVERHEAD = 400
_ENDS_OVERHEAD = 300
# Kinds of failures that mean that a map was there and cannot be used.
_UNUSABLE = frozenset({FailureKind.MALFORMED, FailureKind.TOO_LARGE})


@dataclass(slots=True)
class Script:
    """A script by the path that frames have. What went wrong with its text or its map is a failure, not an error.

    `key` and `map_key` are what was looked for. `tokens` and `contexts` are filled for the positions of frames.
    """

    abs_path: str
    key: FileKey
    source: Artifact | None = None
    failure: LookupFailure | None = None
    map_key: FileKey | None = None
    source_map: Artifact | None = None
    map_failure: LookupFailure | None = None
    tokens: dict[Position, Token] = field(default_factory=dict)
    contexts: dict[Position, Context | None] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """What the names of original sources are relative to, and what is told as the map's URL."""
        return self.map_key.abs_path if self.map_key and self.map_key.abs_path else self.abs_path

    @property
    def pair(self) -> Pair | None:
        return Pair(self.source.text, self.source_map.text) if self.source and self.source_map else None

    @property
    def has_reference(self) -> bool:
        """Whether anything says that there is a map."""
        return self.source_map is not None or self.map_failure is not None

    @property
    def malformed_map(self) -> bool:
        return self.map_failure is not None and self.map_failure.kind in _UNUSABLE


def load_script(acquisition: Acquisition, abs_path: str, debug_id: DebugId | None) -> Script:
    """Acquire a script and its map. Raises DeadlineExceeded."""
    script = Script(abs_path, FileKey(Kind.MINIFIED_SOURCE, abs_path, debug_id))
    try:
        script.source = acquisition.acquire(script.key)
    except LookupFailure as failure:
        script.failure = failure
        return script
    _load_map(acquisition, script, script.source, debug_id or script.source.debug_id)
    return script


def _load_map(acquisition: Acquisition, script: Script, source: Artifact, debug_id: DebugId | None) -> None:
    if source.inline_map is not None:
        script.source_map = Artifact(source.inline_map, EMBEDDED, source.resolved_with)
        return
    url = resolved_map_url(source, script.abs_path)
    if url is None and debug_id is None:
        return
    script.map_key = FileKey(Kind.SOURCE_MAP, url, debug_id)
    try:
        script.source_map = acquisition.acquire(script.map_key)
    except LookupFailure as failure:
        script.map_failure = failure


def is_disabled(failure: LookupFailure | None) -> bool:
    """Whether a file could only have been scraped, and scraping is off."""
    return isinstance(failure, ScrapeFailure) and failure.reason is Reason.DISABLED


class Contexts:
    """The lines around positions of texts, remembered by content."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._kept: TwoGenerations[tuple[str, int, int], tuple[Context | None]] = TwoGenerations(CONTEXTS_BYTES)
        self._ends: TwoGenerations[str, Sequence[int]] = TwoGenerations(ENDS_BYTES)

    def around(self, text: Text, line: int, column: int) -> Context | None:
        """See `context_of`. Raises LookupFailure and OSError when the text cannot be read any more."""
        key = (text.identity, line, column)
        known = self._kept.get(key)
        if known is None:
            content = text.read()
            with self._gate:
                known = (context_of(content, line, column, self._line_ends(text.identity, content)),)
            self._kept.put(key, known, _memory(known[0]))
        return known[0]

    def _line_ends(self, identity: str, content: bytes) -> Sequence[int]:
        known = self._ends.get(identity)
        if known is None:
            known = line_ends(content)
            self._ends.put(identity, known, _ENDS_OVERHEAD + 4 * len(known))
        return known


def resolve_positions(script: Script, positions: Iterable[Position], maps: SourceMaps, deadline: Deadline) -> None:
    """Look up what positions were made from; a map that cannot be used becomes the failure of the script's map."""
    pair = script.pair
    if pair is None:
        return
    try:
        script.tokens = maps.look_up(pair, positions, deadline)
    except LookupFailure as failure:
        script.map_failure = failure
    except OSError:
        script.map_failure = LookupFailure(FailureKind.UNREACHABLE, "internal error")


def _memory(context: Context | None) -> int:
    lines = (*context.before, context.line, *context.after) if context else ()
    return _CONTEXT_OVERHEAD + sum(len(text) + 50 for text in lines)
