"""Requests decoded with what is remembered of others: stacks that came before are recognised instead."""

from __future__ import annotations

from itertools import chain

import msgspec

from engine.decoding import BadSchema
from engine.native.ground import Ground
from engine.native.hexvalues import all_canonical
from engine.native.images import ImageIdentities
from engine.native.memory import TwoGenerations
from engine.native.outlines import FRAMES, Outline, Recognised, outlined
from engine.native.wire import (
    Body,
    Hex,
    Stack,
    SymbolicateRequest,
    Thread,
    Unsigned,
    decode_request,
    made_request,
    made_thread,
)

_LIMIT_BYTES = 16 * 1024 * 1024
_SEEN_BYTES = 1024 * 1024
_SEEN_ENTRY_BYTES = 200
# Outlines that look alike: the same code in other modules, or written in another way.
_LOOKALIKES = 4
_MOST_FRAMES = 1024
_OPENING = b'"0x'
# The frames by which stacks are told apart before they are compared.
_FIRST = 4
_LAST = 3

# What outlines are looked for by: the length of the JSON, and the last digits of some addresses.
Look = tuple[int, bytes]


class _SkimmedStack(msgspec.Struct):
    frames: msgspec.Raw
    thread_id: Unsigned | None = None
    thread_name: str | None = None
    is_requesting: bool | None = None
    registers: dict[str, Hex] | None = None


class _Skimmed(Body):
    stacktraces: list[_SkimmedStack] | None = None  # type: ignore[assignment]


_DECODER = msgspec.json.Decoder(_Skimmed)
_ANY_FAULT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BadSchema)


class RequestReader:
    """Decodes requests, and remembers outlines of stacks that came twice. Safe to use from several threads."""

    def __init__(self, identities: ImageIdentities) -> None:
        self._identities = identities
        self._known: TwoGenerations[Look, tuple[Outline, ...]] = TwoGenerations(_LIMIT_BYTES)
        self._seen: TwoGenerations[Look, bool] = TwoGenerations(_SEEN_BYTES)

    def decode(self, body: bytes) -> SymbolicateRequest:
        """As `wire.decode_request`, which is also who refuses."""
        try:
            wire = _DECODER.decode(body)
            return self._made(wire)
        except _ANY_FAULT:
            return decode_request(body)

    def _made(self, wire: _Skimmed) -> SymbolicateRequest:
        request = made_request(wire, [])
        identities = [self._identities.get(module) for module in request.modules]
        request.ground = Ground(request.modules, request.image_addrs, identities)
        stacks = wire.stacktraces or []
        values = list(chain.from_iterable(stack.registers.values() for stack in stacks if stack.registers))
        canonical = all_canonical(values)
        request.stacktraces = [
            self._thread(stack, at, request.ground, canonical=canonical) for at, stack in enumerate(stacks)
        ]
        return request

    def _thread(self, stack: _SkimmedStack, at: int, ground: Ground, *, canonical: bool) -> Thread:
        raw = bytes(stack.frames)
        look = _look(raw)
        if look is not None:
            for outline in self._known.get(look) or ():
                known = outline.find(raw, ground)
                if known is not None:
                    return _known_thread(stack, at, known, canonical=canonical)
        whole = Stack(FRAMES.decode(raw), stack.thread_id, stack.thread_name, stack.is_requesting, stack.registers)
        thread = made_thread(whole, at, canonical=canonical)
        if look is not None and thread.plain and len(thread.frames) <= _MOST_FRAMES:
            self._remember(look, raw, thread, ground)
        return thread

    def _remember(self, look: Look, raw: bytes, thread: Thread, ground: Ground) -> None:
        """What came once may never come again; the second time it is worth an outline."""
        if not self._seen.get(look):
            self._seen.put(look, True, _SEEN_ENTRY_BYTES + len(look[1]))
            return
        outline = outlined(raw, thread.frames, thread.addresses, ground)
        if outline is not None:
            outlines = (outline, *(self._known.get(look) or ())[: _LOOKALIKES - 1])
            self._known.put(look, outlines, sum(each.size for each in outlines))


def _known_thread(stack: _SkimmedStack, at: int, known: Recognised, *, canonical: bool) -> Thread:
    if not canonical or stack.thread_id is not None:
        thread = made_thread(
            Stack([], stack.thread_id, stack.thread_name, stack.is_requesting, stack.registers), at, canonical=canonical
        )
        thread.frames, thread.known = known.outline.frames, known
        return thread
    registers: dict[str, str] = stack.registers or {}  # type: ignore[assignment]  # canonical ones are texts
    return Thread(known.outline.frames, [], registers, True, None, stack.thread_name, stack.is_requesting, known)


def _look(raw: bytes) -> Look | None:
    """What the outline of a stack's frames would be found by; None for a stack without frames."""
    first = raw.split(_OPENING, _FIRST)[1:]
    if not first:
        return None
    pieces = first + raw.rsplit(_OPENING, _LAST)[1:]
    # Addresses mostly have one number of digits.
    cut = max(first[0].find(b'"') - 3, 0)
    end = cut + 4
    digits = b"".join([piece[cut:end] for piece in pieces])
    if digits[3::4] != b'"' * len(pieces):
        digits = b"".join([piece[: piece.find(b'"')][-3:] for piece in pieces])
    return len(raw), digits
