"""Frames of the answer: JSON joined from fragments, and the few frames that need more than that.

The order of fields is the wire format's. What is written here for every frame decides the cost of a warm request, so
the common case is one loop with as little in it as possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from operator import attrgetter

from engine.formats.portable_pdb import SourcePoint
from engine.lookup.model import Candidate
from engine.native.demangle import Demangler
from engine.native.fragments import OPENING, TAILS, Fragment, FragmentCache, base_name, json_text
from engine.native.managed import ManagedLine, ManagedTable
from engine.native.places import NOWHERE, Placed, Seat
from engine.native.wire import Frame

# A thread of a minidump has at most 256 frames.
_LONGEST_USUAL_STACK = 512
_BEGINNINGS: list[str] = []
_CARRIED = (
    "filename", "abs_path", "lineno", "pre_context", "context_line", "post_context", "source_link", "in_app", "vars",
)  # fmt: skip
# What is known about a line's source goes where these are.
_AROUND = ("pre_context", "context_line", "post_context", "source_link")
_SAID = attrgetter(
    "platform",
    "addr_mode",
    "adjust_instruction_addr",
    "function_id",
    "package",
    "lang",
    "symbol",
    "sym_addr",
    "function",
    *_CARRIED,
)
_NOTHING_SAID = (None,) * (9 + len(_CARRIED))
_DROPPED_WITH_SCAN = frozenset({"missing_symbol", "unknown_image"})


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the frames of stacks. `reverse` puts the outermost frame first."""

    fragments: FragmentCache
    demangler: Demangler
    reverse: bool

    def write(self, placed: Placed) -> str:
        """The JSON of a stack's frames, without the brackets round them.

        Frames whose fragments are not at hand are left out and noted down in their seats: once these are filled,
        the stack has to be written again.
        """
        if self.reverse or not placed.thread.plain:
            return self._write_unusual(placed)
        chunks: list[str] = []
        append = chunks.append
        usual = zip(count(), _beginnings(len(placed.frames)), placed.frames, placed.seats, placed.adjusted)  # noqa: B905
        for index, beginning, frame, seat, address in usual:
            base = seat.address
            try:
                parts, sym_addr, rest = seat.fragments[address - base].forms[frame.trust]
            except KeyError:
                append(self._write_rare(placed, index))
                if seat.lacking:
                    self._note_lacking(placed, index)
                    return ""
                continue
            if frame.platform is not None:
                beginning = _beginning(index, frame.platform)  # noqa: PLW2901
            append(f"{f'{beginning}{hex(address)}{seat.package}'.join(parts)}{hex(base + sym_addr)}{rest}")
        return ",".join(filter(None, chunks))

    def _note_lacking(self, placed: Placed, start: int) -> None:
        """Note down what all frames from `start` on lack: the stack has to be written again in any case."""
        for seat, address in zip(placed.seats[start:], placed.adjusted[start:], strict=True):
            relative = address - seat.address
            if seat.symcache is not None and relative not in seat.fragments and relative not in seat.lacking:
                seat.recall(relative, self.fragments)

    def _write_unusual(self, placed: Placed) -> str:
        """The way for stacks in which frames say more than their address, and for the reverse order."""
        chunks = [
            self._write_odd(placed, index, seat.fragments.get(address - seat.address))
            for index, (seat, address) in enumerate(zip(placed.seats, placed.adjusted, strict=True))
        ]
        if self.reverse:
            chunks.reverse()
        return ",".join(filter(None, chunks))

    def _write_rare(self, placed: Placed, index: int) -> str:
        """A frame whose fragment, or the form of it, is not at hand."""
        seat, frame = placed.seats[index], placed.frames[index]
        fragment = seat.fragments.get(placed.adjusted[index] - seat.address)
        if fragment is not None:
            fragment.form(frame.trust)
        return self._write_odd(placed, index, fragment)

    def _write_odd(self, placed: Placed, index: int, fragment: Fragment | None) -> str:
        seat = placed.seats[index]
        if seat.managed is not None:
            return self._write_managed(placed, index, seat.managed)
        if fragment is None and seat.failure is None:
            fragment = seat.recall(placed.adjusted[index] - seat.address, self.fragments)
            if fragment is None:
                return ""
        if fragment is not None and fragment.found:
            return self._write_found(placed, index, fragment)
        return self._write_lost(placed, index, seat.failure or "missing_symbol")

    def _write_lost(self, placed: Placed, index: int, status: str) -> str:
        """A frame that nothing is known about, unless it is none."""
        seat = placed.seats[index]
        if _is_dropped(placed.frames[index], status) or self._ends_after_start(placed, index):
            if seat is not NOWHERE:
                seat.dropped += 1
            return ""
        if seat is not NOWHERE:
            seat.failed += 1
        return self._write_failed(placed, index, status)

    def _write_managed(self, placed: Placed, index: int, table: ManagedTable) -> str:
        """A frame of .NET; its address counts within its method."""
        line = table.find(placed.frames[index].function_id, placed.given[index] - placed.seats[index].address)
        if line is None:
            return ""
        if line.point is None:
            return self._write_lost(placed, index, "missing_symbol")
        return _managed_frame(placed, index, line, line.point)

    def _write_found(self, placed: Placed, index: int, fragment: Fragment) -> str:
        frame, seat = placed.frames[index], placed.seats[index]
        where = _where(frame, index, placed.adjusted[index], seat)
        tail = TAILS[frame.trust]
        bodies = [*fragment.inlines, _outermost(fragment, seat)]
        if fragment.pathless and (frame.filename is not None or frame.abs_path is not None):
            bodies = [_with_path(body, frame) for body in bodies]
        if self.reverse:
            bodies.reverse()
        return ",".join([f"{OPENING}{where}{body}{tail}" for body in bodies])

    def candidates(self, placed: Placed, index: int) -> tuple[Candidate, ...]:
        """The links that were followed for a frame, once its fragment is at hand."""
        seat = placed.seats[index]
        if seat.managed is not None:
            line = seat.managed.find(placed.frames[index].function_id, placed.given[index] - seat.address)
            return () if line is None or line.candidate is None else (line.candidate,)
        fragment = seat.fragments.get(placed.adjusted[index] - seat.address)
        return () if fragment is None else fragment.candidates

    def _ends_after_start(self, placed: Placed, index: int) -> bool:
        """Whether this is the last frame, in no module, and `_start` called it: what lies there is no frame."""
        if placed.seats[index] is not NOWHERE or index != len(placed.frames) - 1:
            return False
        for before in range(index - 1, -1, -1):
            frame, seat = placed.frames[before], placed.seats[before]
            fragment = seat.fragments.get(placed.adjusted[before] - seat.address)
            if fragment is not None and fragment.found:
                return fragment.function == "_start"
            if not _is_dropped(frame, seat.failure or "missing_symbol"):
                return frame.function == "_start"
        return False

    def _write_failed(self, placed: Placed, index: int, status: str) -> str:
        """A frame as it came, with its status, the module's path, and its name made readable."""
        frame, seat = placed.frames[index], placed.seats[index]
        if _SAID(frame) == _NOTHING_SAID:
            return _bare_failure(seat, index, placed.given[index], status, TAILS[frame.trust])
        symbol, function = self._names(frame)
        fields = _all_fields(placed, index) | {"symbol": symbol, "function": function}
        return json_text({"status": status, "original_index": index, **_said(fields)})

    def _names(self, frame: Frame) -> tuple[str | None, str | None]:
        """Symbol and function of a frame that was not found; one of them alone is taken for a mangled name."""
        mangled = frame.function if frame.symbol is None else frame.symbol
        if mangled is None or (frame.symbol is not None and frame.function is not None):
            return frame.symbol, frame.function
        readable = self.demangler.readable(mangled, frame.lang)
        if readable == mangled:
            return frame.symbol, frame.function
        return mangled, readable


def _all_fields(placed: Placed, index: int) -> dict[str, object]:
    """A frame as it came, with the module's path, in the order of the answer."""
    frame, seat = placed.frames[index], placed.seats[index]
    given = placed.given[index] - (seat.address if frame.addr_mode else 0)
    return {
        "platform": frame.platform,
        "addr_mode": frame.addr_mode,
        "instruction_addr": f"{given:#x}",
        "adjust_instruction_addr": frame.adjust_instruction_addr,
        "function_id": frame.function_id,
        "package": seat.identity.wanted.code_file if seat.identity else frame.package,
        "lang": frame.lang,
        "symbol": frame.symbol,
        "sym_addr": frame.sym_addr,
        "function": frame.function,
        **{name: getattr(frame, name) for name in _CARRIED},
        "trust": None if frame.trust == "none" else frame.trust,
    }


def _said(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None and value not in ([], {})}


def _managed_frame(placed: Placed, index: int, line: ManagedLine, point: SourcePoint) -> str:
    """A frame as it came with its line, and with what stands around that, if anything is known."""
    fields = _all_fields(placed, index)
    fields |= {"filename": base_name(point.document), "abs_path": point.document, "lineno": point.line}
    fields["lang"] = point.language or fields["lang"]
    after = {name: fields.pop(name) for name in ("in_app", "vars", "trust")}
    if line.around:
        for name in _AROUND:
            del fields[name]
    head = json_text({"status": "symbolicated", "original_index": index, **_said(fields)})
    tail = json_text(_said(after))[1:-1]
    return f"{head[:-1]}{line.around}{',' if tail else ''}{tail}}}"


def _bare_failure(seat: Seat, index: int, address: int, status: str, tail: str) -> str:
    """The JSON of a failed frame that came with an address alone."""
    package = seat.package[:-1]
    return f'{{"status":"{status}","original_index":{index},"instruction_addr":"{hex(address)}{package}{tail}'


def _is_dropped(frame: Frame, status: str) -> bool:
    """Scanning guesses frames; a guess that leads nowhere is no frame."""
    return frame.trust == "scan" and status in _DROPPED_WITH_SCAN


def _beginnings(length: int) -> list[str]:
    """The beginnings of frames by index, kept for the next stack."""
    while len(_BEGINNINGS) < min(length, _LONGEST_USUAL_STACK):
        _BEGINNINGS.append(_beginning(len(_BEGINNINGS), None))
    return _BEGINNINGS if length <= len(_BEGINNINGS) else [_beginning(index, None) for index in range(length)]


def _beginning(index: int, platform: str | None, mode: str = "") -> str:
    """The JSON of a symbolicated frame from its status to its address."""
    known = "" if platform is None else f'"platform":{json_text(platform)},'
    return f'"original_index":{index},{known}{mode}"instruction_addr":"'


def _where(frame: Frame, index: int, address: int, seat: Seat) -> str:
    """The JSON of a symbolicated frame from its status to what its fragment has."""
    mode = f'"addr_mode":"{frame.addr_mode}",' if frame.addr_mode and not seat.address else ""
    told = frame.adjust_instruction_addr
    adjust = "" if told is None else f',"adjust_instruction_addr":{json_text(told)}'
    function_id = "" if frame.function_id is None else f',"function_id":"{frame.function_id}"'
    return f'{_beginning(index, frame.platform, mode)}{hex(address)}"{adjust}{function_id}{seat.package[1:]}'


def _outermost(fragment: Fragment, seat: Seat) -> str:
    if fragment.sym_addr is None:
        return fragment.start
    return f"{fragment.start}{hex(seat.address + fragment.sym_addr)}{fragment.rest}"


def _with_path(body: str, frame: Frame) -> str:
    """A frame's own fields with the request's file where the symcache knows none."""
    before, key, line = body.rpartition('"lineno":')
    if '"abs_path":' in before:
        return body
    filename = "" if frame.filename is None else f'"filename":{json_text(frame.filename)},'
    abs_path = "" if frame.abs_path is None else f'"abs_path":{json_text(frame.abs_path)},'
    return f"{before}{filename}{abs_path}{key}{line}"
