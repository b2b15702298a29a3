"""Lookup tables of source maps: built from untrusted bytes, tried out elsewhere first, kept in memory.

The library that builds them parses scripts recursively: a script of 10,000 opening brackets ends the process. So every
pair of script and map is built by the converter first, in a child with limits of memory, time and stack, and what came
of that is remembered on disk. A script that cannot be parsed there costs the names of functions, and no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar

import msgspec
from symbolic.exceptions import SymbolicError
from symbolic.sourcemap import SourceMapView
from symbolic.sourcemapcache import SourceMapCache, SourceMapCacheToken

from engine.caches import Miss, Shelf, derived_key, temporary_file
from engine.convert.client import ConverterUnavailable
from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import FormatError
from engine.formats.source_context import CONTEXT_LINES
from engine.javascript.context import Context, context_of_lines
from engine.javascript.inputs import Text, is_utf8
from engine.lookup.flights import Flights
from engine.lookup.store import DAY_SECONDS, Store
from engine.native.gate import Gate
from engine.native.memory import TwoGenerations
from engine.outgoing import Deadline, PassingFailure

# What building one table may take; the limit holds in the child that tries, and so for everybody after it.
BUILD_BYTES = 1 << 30
# Tables live in unlinked files below TMPDIR: bytes on disk, of which little is in memory until it is touched.
TABLES_BYTES = 512 << 20
TOKENS_BYTES = 64 << 20
# Twice the stack of the child that tried, so that what passed there passes here.
_STACK_BYTES = 16 << 20
_BUILDERS = 2
_SPREAD = 3
_VIEW_SPREAD = 4
_TOKEN_OVERHEAD = 400
# The words of the converter about a child that a signal ended, and the size of a map from which that tells of its size.
_KILLED = "ended with"
_LARGE_BYTES = 8 << 20
_CHECKS_VERSION = 2
_WITH_NAMES, _WITHOUT_NAMES = b'"named"', b'"unnamed"'

Result = TypeVar("Result")
# A line and a column, 1-based.
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Token:
    """What a position of a script was made from. `has_content`: whether the map holds the text of the source."""

    line: int
    column: int
    source: str | None
    name: str | None
    scope: str | None
    context: Context | None
    has_content: bool


NO_TOKEN = Token(0, 0, None, None, None, None, has_content=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """A script and its map."""

    script: Text
    source_map: Text

    @property
    def key(self) -> str:
        return derived_key("source map", version("symbolic"), self.script.identity, self.source_map.identity)


@dataclass(slots=True)
class _Table:
    """A built table; the map itself is opened for the few questions that the table cannot answer."""

    cache: Any
    source_map: Text
    lock: threading.Lock = field(default_factory=threading.Lock)
    view: Any = None

    def opened_view(self) -> Any:
        with self.lock:
            if self.view is None:
                self.view = SourceMapView.from_json_bytes(self.source_map.read())
            return self.view


class SourceMaps:
    """The tables of a process, and what was looked up in them. Safe to use from several threads."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self._store = store
        self._gate = gate
        self._checks = Shelf(
            store.cache_dir, "sourcemapchecks", f"{_CHECKS_VERSION}-{version('symbolic')}", 7 * DAY_SECONDS
        )
        self._tables: TwoGenerations[str, _Table] = TwoGenerations(TABLES_BYTES)
        self._tokens: TwoGenerations[tuple[str, int, int], Token] = TwoGenerations(TOKENS_BYTES)
        self._flights: Flights[_Table] = Flights()
        self._builders = Gate(_BUILDERS)

    def look_up(self, pair: Pair, positions: Iterable[Position], deadline: Deadline) -> dict[Position, Token]:
        """The tokens at positions of a script; NO_TOKEN where there is none.

        Raises LookupFailure, whose kind tells a malformed map from one that is too large, and DeadlineExceeded.
        Positions that are remembered cost nothing.
        """
        key = pair.key
        wanted = {position: self._tokens.get((key, *position)) for position in positions}
        missing = [position for position, token in wanted.items() if token is None]
        if missing:
            table = self._table(key, pair, deadline)
            for position in missing:
                with self._gate:
                    token = _look_up(table, *position)
                self._tokens.put((key, *position), token, _memory(token))
                wanted[position] = token
        return {position: token for position, token in wanted.items() if token is not None}

    def _table(self, key: str, pair: Pair, deadline: Deadline) -> _Table:
        known = self._tables.get(key)
        if known is not None:
            return known
        return self._flights.run(key, lambda: self._make(key, pair, deadline), deadline)

    def _make(self, key: str, pair: Pair, deadline: Deadline) -> _Table:
        known = self._tables.get(key)
        if known is not None:
            return known
        before = self._checks.read(key)
        if isinstance(before, Miss):
            raise LookupFailure(before.kind, before.details)
        script, source_map = pair.script.read(), pair.source_map.read()
        if not is_utf8(source_map):
            raise FormatError("the source map is not valid UTF-8")
        if not self._is_named(key, script, source_map, deadline):
            script = b""
        with self._builders:
            cache = _with_stack(lambda: _build(script, source_map))
        table = _Table(cache, pair.source_map)
        self._tables.put(key, table, _SPREAD * len(source_map) + len(script))
        return table

    def _is_named(self, key: str, script: bytes, source_map: bytes, deadline: Deadline) -> bool:
        """Whether the table can be built with its script. Raises LookupFailure when it cannot be built at all."""
        known = self._checks.read(key)
        if known is None:
            with self._checks.exclusive(key, deadline):
                known = self._checks.read(key) or self._check(key, script, source_map, deadline)
        if isinstance(known, Miss):
            raise LookupFailure(known.kind, known.details)
        return bytes(known) == _WITH_NAMES

    def _check(self, key: str, script: bytes, source_map: bytes, deadline: Deadline) -> Miss | msgspec.Raw:
        if self._try(key, script, source_map, deadline) is None:
            return self._passed(key, _WITH_NAMES)
        failure = self._try(key, b"", source_map, deadline)
        if failure is None:
            return self._passed(key, _WITHOUT_NAMES)
        miss = Miss.of(_judged(failure, len(source_map)), DAY_SECONDS)
        self._checks.write_miss(key, miss)
        return miss

    def _passed(self, key: str, outcome: bytes) -> msgspec.Raw:
        self._checks.write_facts(key, outcome)
        return msgspec.Raw(outcome)

    def _try(self, key: str, script: bytes, source_map: bytes, deadline: Deadline) -> LookupFailure | None:
        beside = self._checks.path(key)
        with temporary_file(beside) as (one, script_path), temporary_file(beside) as (other, map_path):
            for file, content in ((one, script), (other, source_map)):
                file.write(content)
                file.flush()
            try:
                self._store.converter.check_source_map(map_path, script_path, BUILD_BYTES, deadline)
            except ConverterUnavailable as error:
                raise PassingFailure(FailureKind.UNREACHABLE, error.message) from None
            except LookupFailure as failure:
                return failure
        return None


def _judged(failure: LookupFailure, size: int) -> LookupFailure:
    """What a map of `size` bytes suffers from: of a large one the child mostly dies because it may not take more."""
    if _KILLED in failure.details and size > _LARGE_BYTES:
        return LookupFailure(FailureKind.TOO_LARGE, f"its lookup table would take more than {BUILD_BYTES >> 20} MiB")
    return failure


def _look_up(table: _Table, line: int, column: int) -> Token:
    found: SourceMapCacheToken | None = table.cache.lookup(line, max(column, 1), CONTEXT_LINES)
    if found is None:
        return NO_TOKEN
    text = found.context_line
    context = None if text is None else context_of_lines(found.pre_context, text, found.post_context, found.col)
    has_content = context is not None or _has_content(table, line, max(column, 1))
    return Token(found.line, found.col, found.src, found.name, found.function_name, context, has_content)


def _has_content(table: _Table, line: int, column: int) -> bool:
    """Whether the map holds the text of the token's source, be it empty or too short for the token."""
    view = table.opened_view()
    found = view.lookup(line - 1, column - 1)
    return found is not None and view.get_sourceview(found.src_id) is not None


def _build(script: bytes, source_map: bytes) -> Any:
    try:
        return SourceMapCache.from_bytes(script, source_map)
    except SymbolicError as error:
        raise FormatError(str(error)) from None


def _with_stack(work: Callable[[], Result]) -> Result:
    """The result of `work`, done by a thread of its own with as much stack as it may need."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            errors.append(error)

    thread = _started(run)
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


_stack_lock = threading.Lock()


def _started(run: Callable[[], None]) -> threading.Thread:
    """A thread with a larger stack; others that start at the same moment may get one as well."""
    thread = threading.Thread(target=run, name="source-map-builder", daemon=True)
    with _stack_lock:
        before = threading.stack_size(_STACK_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
    return thread


def _memory(token: Token) -> int:
    lines = (*token.context.before, token.context.line, *token.context.after) if token.context else ()
    return _TOKEN_OVERHEAD + sum(len(text) + 50 for text in (*lines, token.source or "", token.scope or ""))
