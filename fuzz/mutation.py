"""Bending inputs: bytes of any format, lines of texts, and values of JSON, so that more gets past the first check."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fuzz.target import MOST_BYTES, Shape, Target

_NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
            0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFF8, 0xFFFFFFFFFFFFFFFF)  # fmt: skip
_PIECES = (b"\0", b"\n", b"\r\n", b"\xff" * 9, b"\xed\xa0\x80", b"\xc3\x28", b"0x", b"-1", b"9" * 30, b"[" * 60,
           b'{"a":' * 30, b'"', b"\\ud800", b"%00", b"../", b" " * 300, b"\xef\xbb\xbf")  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**32,
    2**53,
    2**63,
    2**64,
    -(2**63),
    10**40,
    0.5,
    1e308,
    -0.0,
    "",
    "\0",
    "\ud800",
    "a" * 300,
    "0x",
    "0xffffffffffffffff",
    "1e999",
    "../../x",
    "é",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [[[[[[]]]]]],
)

Dice = random.Random


def inputs(target: Target, dice: Dice) -> Iterator[bytes]:
    """The seeds as they are, then bent ones without an end; the same ones for the same dice."""
    seeds = [*target.seeds(), b""]
    yield from seeds
    while True:
        yield bent(dice.choice(seeds), seeds, target, dice)


def bent(data: bytes, seeds: Sequence[bytes], target: Target, dice: Dice) -> bytes:
    """One input made of `data`, and now and then of another seed too."""
    ways: list[Callable[[bytes], bytes]] = [lambda one: _bytes(one, seeds, target.words, dice)]
    if target.shape is Shape.JSON:
        ways += [lambda one: _json(one, target.words, dice)] * 3
    if target.shape is Shape.LINES:
        ways += [lambda one: _lines(one, seeds, target.words, dice)] * 2
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        data = dice.choice(ways)(data)
    return data[:MOST_BYTES]


def _bytes(data: bytes, seeds: Sequence[bytes], words: Sequence[bytes], dice: Dice) -> bytes:
    # Heads and directories decide what becomes of the rest.
    reach = len(data) if dice.random() < 0.6 else min(len(data), 600)
    at = dice.randrange(reach + 1)
    size = dice.choice((1, 1, 2, 4, 8, dice.randrange(1, 300)))
    match dice.randrange(8):
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :] if at < len(data) else data
        case 1:
            return data[:at] + dice.randbytes(size) + data[at + size :]
        case 2:
            return data[:at] + data[at + size :]
        case 3:
            return data[:at] if dice.random() < 0.3 else data[:at] + data[at : at + size] + data[at:]
        case 4:
            return data[:at] + dice.choice(_PIECES) + data[at:]
        case 5 | 6:
            return _renumbered(data, at, dice)
        case _:
            return _spliced(data, at, seeds, words, dice)


def _renumbered(data: bytes, at: int, dice: Dice) -> bytes:
    """A number of some width, at its place or anywhere: an extreme one, a place within the data, or one beside it."""
    width = dice.choice((1, 2, 4, 4, 8))
    at = at - at % width if dice.random() < 0.7 else at
    order: Any = dice.choice(("little", "little", "big"))
    was = int.from_bytes(data[at : at + width], order)
    value = dice.choice((dice.choice(_NUMBERS), dice.randrange(len(data) + 1), was + dice.choice((-1, 1, 8, 64))))
    return data[:at] + (value & ((1 << 8 * width) - 1)).to_bytes(width, order) + data[at + width :]


def _spliced(data: bytes, at: int, seeds: Sequence[bytes], words: Sequence[bytes], dice: Dice) -> bytes:
    if words and dice.random() < 0.7:
        piece = dice.choice(words)
        return data[:at] + piece + data[at + dice.choice((0, len(piece))) :]
    other = dice.choice(seeds)
    start = dice.randrange(len(other) + 1)
    if dice.random() < 0.3:
        return data[:at] + other[start:]
    piece = other[start : start + dice.randrange(1, 400)]
    return data[:at] + piece + data[at + len(piece) :]


def _lines(data: bytes, seeds: Sequence[bytes], words: Sequence[bytes], dice: Dice) -> bytes:
    lines = data.split(b"\n")
    at = dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(dice.randrange(len(lines) + 1), lines[at])
        case 2:
            lines.insert(at, dice.choice(dice.choice(seeds).split(b"\n")))
        case 3:
            tokens = lines[at].split(b" ")
            other = dice.choice(words) if words else dice.choice(tokens)
            tokens[dice.randrange(len(tokens))] = dice.choice((other, dice.choice(tokens), b"", dice.choice(_PIECES)))
            lines[at] = b" ".join(tokens)
        case _:
            lines[at : at + dice.randrange(1, 5)] = [lines[at]] * dice.randrange(1, 4)
    return b"\n".join(lines)


def _json(data: bytes, words: Sequence[bytes], dice: Dice) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _bytes(data, [data], words, dice)
    holder: dict[str, Any] = {"": value}
    _change(holder, words, dice)
    return json.dumps(holder.get("")).encode("utf-8", "surrogatepass")


def _change(holder: dict[str, Any], words: Sequence[bytes], dice: Dice) -> None:
    """Go down a random way and change what is there: another value, gone, doubled, renamed."""
    at: Any = holder
    while True:
        places = list(at) if isinstance(at, dict) else range(len(at))
        place = dice.choice(list(places))
        inner = at[place]
        if not isinstance(inner, dict | list) or not inner or dice.random() < 0.15:
            break
        at = inner
    match dice.randrange(5):
        case 0:
            del at[place]
        case 1 if isinstance(at, list):
            at[place:place] = [inner] * dice.choice((1, 1, 2, 20))
        case 2 if isinstance(at, dict) and at is not holder:
            at[dice.choice((*_texts(words), "", "\0", place + "x"))] = at.pop(place)
        case 3:
            at[place] = dice.choice((*_texts(words), str(inner), [inner], {"values": inner}))
        case _:
            at[place] = dice.choice(_VALUES)


def _texts(words: Sequence[bytes]) -> list[str]:
    return [word.decode("utf-8", "replace") for word in words] or ["x"]
