"""Stacks that a program walked itself, for threads whose frames nobody else can know (interpreted code, say)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from engine.minidump.image import Image, Layout, Unreadable

STREAM = 0x53790001
VERSION = 1
# All frames of all threads together; threads may refer to the same frames.
MAX_FRAMES = 1 << 18
_HEAD = Layout("IIII")
_THREAD = Layout("III")
_FRAME = Layout("QII")

Rows: TypeAlias = list[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """An absolute address and the name that the program gave it."""

    address: int
    symbol: str | None


@dataclass(frozen=True, slots=True)
class ClientStack:
    """The frames of one thread, callee first."""

    thread_id: int
    frames: tuple[ClientFrame, ...]


def read_client_stacks(image: Image, at: int, size: int) -> tuple[ClientStack, ...]:
    """Unreadable when the stream has not exactly the size that it says, or another version."""
    if size < _HEAD.size:
        raise Unreadable("the client's stacks are too short")
    version, threads, frames, symbol_bytes = image.unpack(_HEAD, at)
    frames_at = _HEAD.size + -(-threads * _THREAD.size // 8) * 8
    symbols_at = frames_at + frames * _FRAME.size
    if version != VERSION or size != symbols_at + symbol_bytes or frames > MAX_FRAMES:
        raise Unreadable("the client's stacks do not have the size that they say")
    table = list(image.rows(_FRAME, at + frames_at, frames))
    names = partial(_symbol, image, at + symbols_at, symbol_bytes)
    return _stacks(list(image.rows(_THREAD, at + _HEAD.size, threads)), table, names)


def _stacks(threads: Rows, table: Rows, name: Callable[[int, int], str | None]) -> tuple[ClientStack, ...]:
    if sum(count for _, _, count in threads) > MAX_FRAMES:
        raise Unreadable("the client's stacks have too many frames")
    if any(first + count > len(table) for _, first, count in threads):
        raise Unreadable("a client's stack reaches beyond its frames")
    frames = [ClientFrame(address, name(at, length)) for address, at, length in table]
    return tuple(ClientStack(thread, tuple(frames[first : first + count])) for thread, first, count in threads)


def _symbol(image: Image, symbols_at: int, symbol_bytes: int, at: int, length: int) -> str | None:
    if at + length > symbol_bytes:
        raise Unreadable("a client's symbol reaches beyond the symbols")
    return image.plain(symbols_at + at, length) or None
