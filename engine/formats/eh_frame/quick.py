"""The entries that compilers write, quickly: the few instructions that nearly all functions have, in one loop.

Whatever is unusual is left to `program`, with which this agrees wherever it gives anything.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from engine.formats.eh_frame.entries import LONGEST_ENTRY, Cie, Frames, read_common
from engine.formats.eh_frame.program import Rules, first_rules
from engine.formats.eh_frame.registers import Machine

# Length, distance to the CIE, start of the function relative to this number's place, size in bytes.
_HEAD: Final = struct.Struct("<IIii")
_PC_RELATIVE_32: Final = 0x1B
_LONGEST_COMMON: Final = 256
_LONGEST_ULEB: Final = 5
_SAVED: Final = re.compile(r"\.cfa (-?[0-9]+) \+ \^")
_CFA, _CFA_REGISTER, _CFA_OFFSET, _ARGUMENTS = 0x0C, 0x0D, 0x0E, 0x2E
_KEEP, _BACK = 0x0A, 0x0B
_FURTHER: Final = frozenset({0x02, 0x03, 0x04})
_WITH_NUMBER: Final = frozenset({_CFA, _CFA_REGISTER, _CFA_OFFSET, _ARGUMENTS})


@dataclass(frozen=True, slots=True)
class Usual:
    """What functions of a usual CIE begin with: the CFA as register and offset, registers as distances from it."""

    code_factor: int
    data_factor: int
    return_register: int
    register: int
    offset: int
    saved: dict[int, int]

    @classmethod
    def of(cls, cie: Cie, first: Rules, known: int) -> Usual | None:
        """None when a CIE, or what its instructions left (`first`), is not usual. Of registers `known` have names."""
        saved = {number: _distance(term) for number, term in first.registers.items()}
        usual = cie.encoding == _PC_RELATIVE_32 and cie.augmented and not cie.signal and cie.word == 8
        if not usual or first.term is not None or first.register >= known or None in saved.values():
            return None
        placed = {number: distance for number, distance in saved.items() if distance is not None}
        return cls(cie.code_factor, cie.data_factor, cie.return_register, first.register, first.offset, placed)


def common_bytes(content: memoryview, place: int) -> bytes:
    """A CIE as it is written; nothing when that is not all there, or too long to be usual."""
    if not 0 <= place <= len(content) - 4:
        return b""
    length = int.from_bytes(content[place : place + 4], "little")
    return bytes(content[place : place + 4 + length]) if length < _LONGEST_COMMON else b""


@lru_cache(1 << 10)
def read_usual(written: bytes, machine: Machine) -> Usual | None:
    """What a CIE of 64 bits says, None when it is not usual. Nearly all files have the same few."""
    frames = Frames(memoryview(written), address=0, debug=False, big=False, word=8)
    cie = read_common(frames, 0)
    return None if cie is None else Usual.of(cie, first_rules(frames, cie, machine), len(machine.names))


@dataclass(frozen=True, slots=True)
class Head:
    """An entry's own fields: places in the section of the CIE and of the instructions, `start` absolute."""

    cie_place: int
    start: int
    size: int
    at: int
    end: int


def head_at(content: memoryview, place: int, address: int) -> Head | None:
    """The fields of the entry at a place, if it has the usual form; `address` is that of the section."""
    if not 0 <= place <= len(content) - 17:
        return None
    length, back, start, size = _HEAD.unpack_from(content, place)
    end = place + 4 + length
    skipped, begin = content[place + 16], address + place + 8 + start
    if not 13 <= length <= LONGEST_ENTRY or end >= len(content) or not back or size < 0 or skipped > 0x7F or begin < 0:
        return None
    return Head(place + 4 - back, begin, size, place + 17 + skipped, end)


def rules_at(content: memoryview, head: Head, usual: Usual, address: int) -> tuple[int, int, dict[int, int]] | None:
    """The CFA's register and offset at an absolute address, and the distances from it of what was saved.

    As in text, a register keeps its place until it gets another. None when there is an unusual instruction.
    """
    register, offset, saved, here = usual.register, usual.offset, usual.saved, head.start
    said, at, end = saved, head.at, head.end
    kept: list[tuple[int, int, dict[int, int]]] = []
    while at < end:
        code = content[at]
        at += 1
        if 0x40 <= code < 0x80 or code in _FURTHER:
            step, at = (code & 0x3F, at) if code >= 0x40 else _step(content, at, 1 << (code - 2))
            if step and usual.code_factor:
                said = saved if said is saved else {**said, **saved}
                here += step * usual.code_factor
                if here > address:
                    return None if at > end else (register, offset, said)
        elif code >= 0xC0:
            saved = _restored(saved, usual.saved, code & 0x3F)
        elif code >= 0x80:
            number, at = _uleb(content, at)
            saved = {**saved, code & 0x3F: number * usual.data_factor}
        elif code in _WITH_NUMBER:
            number, at = _uleb(content, at)
            offset = number if code == _CFA_OFFSET else offset
            register = number if code in (_CFA, _CFA_REGISTER) else register
            if code == _CFA:
                offset, at = _uleb(content, at)
        elif code == _KEEP:
            kept.append((register, offset, saved))
        elif code == _BACK and kept:
            register, offset, saved = kept.pop()
        elif code:
            return None
    return None if at > end else (register, offset, {**said, **saved})


def _step(content: memoryview, at: int, size: int) -> tuple[int, int]:
    return int.from_bytes(content[at : at + size], "little"), at + size


def _restored(saved: dict[int, int], first: dict[int, int], number: int) -> dict[int, int]:
    without = {other: distance for other, distance in saved.items() if other != number}
    return {**without, number: first[number]} if number in first else without


def _uleb(content: memoryview, at: int) -> tuple[int, int]:
    """A number, and the place behind it; one that does not end has none."""
    value = shift = 0
    for place in range(at, min(at + _LONGEST_ULEB, len(content))):
        byte = content[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    return 0, len(content) + 1


def _distance(term: str) -> int | None:
    """Bytes from the CFA to what a term loads; None for a term of another form."""
    found = _SAVED.fullmatch(term)
    return int(found[1]) if found else None
