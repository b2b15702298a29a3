"""What an address decides about its frames, as JSON ready to be joined into answers.

A fragment is kept by the content of the symcache and the address relative to the module. It holds no absolute
address, no path of a module and nothing of the request, so it serves every process that loads the same build.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock

import orjson

from engine.lookup.model import Candidate
from engine.native.demangle import Demangler
from engine.native.symcache import Location

_ENTRY_BYTES = 700

OPENING = '{"status":"symbolicated",'
# How a frame's JSON ends, by its trust.
TAILS: dict[str | None, str] = {
    None: "}",
    "none": "}",
    **{trust: f',"trust":"{trust}"}}' for trust in ("scan", "cfiscan", "fp", "cfi", "prewalked", "context")},
}


def json_text(value: object) -> str:
    """A value as compact JSON."""
    return orjson.dumps(value).decode()


def sorted_json(value: dict[str, str]) -> str:
    """An object as compact JSON, sorted by key."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


Form = tuple[tuple[str, ...], int, str]


class Fragment:
    """The frames at one address, innermost first.

    Each of `inlines` is the JSON of an inlined frame's own fields. The outermost frame's are `start`, which ends where
    its absolute sym_addr belongs, and `rest`; `sym_addr` is relative to the module. `odd` ones cannot be joined as
    they are: there is no symbol at all, no sym_addr, or a frame without a file.

    What there is to say about each frame's source, `around`, stands at the end of its fields; `candidates` tell of the
    links that were followed for it.

    `forms` has them readily cut for frames of one trust: the parts between which the text goes that tells where the
    frame lies, sym_addr, and what follows it.
    """

    __slots__ = ("candidates", "forms", "function", "inlines", "odd", "pathless", "rest", "start", "sym_addr")

    def __init__(
        self,
        locations: Sequence[Location],
        demangler: Demangler,
        around: Sequence[str] = (),
        candidates: tuple[Candidate, ...] = (),
    ) -> None:
        self.inlines = [_own_fields(inner, demangler) for inner in locations[:-1]]
        if around:
            self.inlines = [fields + source for fields, source in zip(self.inlines, around, strict=False)]
        self.candidates = candidates
        self.pathless = any(location.path is None for location in locations)
        self.start = self.rest = ""
        self.sym_addr: int | None = None
        self.function: str | None = None
        self.forms: dict[str | None, Form] = {}
        if locations:
            self._set_outermost(locations[-1], demangler, around[-1] if around else "")
        self.odd = self.pathless or self.sym_addr is None

    def form(self, trust: str | None) -> Form | None:
        """The form for a trust, made on first use; None when it is `odd`."""
        if self.odd or self.sym_addr is None:
            return None
        tail = TAILS[trust]
        form = ((OPENING, *[f"{inline}{tail},{OPENING}" for inline in self.inlines], self.start), self.sym_addr)
        self.forms[trust] = made = (*form, f"{self.rest}{tail}")
        return made

    def _set_outermost(self, outer: Location, demangler: Demangler, around: str) -> None:
        self.function = demangler.readable(outer.symbol, outer.language)
        self.sym_addr = outer.sym_addr
        symbol, rest = _symbol_fields(outer), _other_fields(outer, self.function) + around
        if outer.sym_addr is None:
            self.start = f"{symbol},{rest}"
            return
        self.start = f'{symbol},"sym_addr":"'
        self.rest = f'",{rest}'

    @property
    def found(self) -> bool:
        return bool(self.start)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        inlines = sum(2 * len(inline) + 200 for inline in self.inlines)
        return _ENTRY_BYTES + len(self.start) + 2 * len(self.rest) + inlines


def _symbol_fields(location: Location) -> str:
    lang = f'"lang":{json_text(location.language)},' if location.language else ""
    return f'{lang}"symbol":{json_text(location.symbol)}'


def _own_fields(location: Location, demangler: Demangler) -> str:
    function = demangler.readable(location.symbol, location.language)
    return f"{_symbol_fields(location)},{_other_fields(location, function)}"


def _other_fields(location: Location, function: str) -> str:
    """A frame's own fields behind those of its symbol."""
    path = ""
    if location.path is not None:
        path = f'"filename":{json_text(base_name(location.path))},"abs_path":{json_text(location.path)},'
    return f'"function":{json_text(function)},{path}"lineno":{location.line}'


def base_name(path: str) -> str:
    """The last component of a path of either kind; backslashes separate only in paths that look like Windows'."""
    windows = path[1:3] == ":\\" or path.startswith("\\") or ("\\" in path and "/" not in path)
    cut = max(path.rfind("/"), path.rfind("\\")) if windows else path.rfind("/")
    return path[cut + 1 :] or path


NO_SYMBOL = Fragment((), Demangler(0))


class FragmentCache:
    """Fragments by symcache and relative address, in at most `limit` bytes.

    Callers take a symcache's table once and read it as a plain dictionary; a table that was dropped meanwhile stays
    good in their hands.
    """

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._half = limit // 2
        self._lock = Lock()
        self._young: dict[str, dict[int, Fragment]] = {}
        self._old: dict[str, dict[int, Fragment]] = {}
        self._used = 0

    def table(self, identity: str) -> dict[int, Fragment]:
        """The fragments of one symcache by relative address."""
        table = self._young.get(identity)
        if table is None:
            with self._lock:
                table = self._young.setdefault(identity, {})
        return table

    def recall(self, identity: str, table: dict[int, Fragment], address: int) -> Fragment | None:
        """A fragment of the old generation, moved back into `table`."""
        found = self._old.get(identity, {}).get(address)
        if found is not None:
            self.add(table, [(address, found)])
        return found

    def add(self, table: dict[int, Fragment], fragments: Iterable[tuple[int, Fragment]]) -> None:
        """Put fragments into a table that `table()` gave."""
        fragments = list(fragments)
        table.update(fragments)
        with self._lock:
            self._used += sum(fragment.size for _, fragment in fragments)
            if self._used > self._half:
                self._old, self._young, self._used = self._young, {}, 0
