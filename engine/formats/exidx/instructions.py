"""The unwinding instructions of ARM's exception tables, as terms of unwind text.

After ARM's "Exception Handling ABI for the Arm Architecture" (EHABI32, 10.3: frame unwinding instructions). They say
how a function gives back what it took from the stack, and are exact wherever the function calls another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.formats.bytewise import FormatError

SP, LR, PC = 13, 14, 15
# What our unwind text says of code that a signal handler returns to.
SIGNAL: Final = ".signal: 1"
# A frame of this size in bytes is further than any stack reaches.
_FARTHEST: Final = 1 << 31
_LONGEST_ULEB: Final = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes from what a register held when the function was left for a call."""

    register: int
    offset: int

    def term(self) -> str:
        return f"{name(self.register)} {self.offset} +"


@dataclass(slots=True)
class _State:
    """The virtual stack pointer, and where each register that was restored had been saved."""

    sp: Place = Place(SP, 0)
    saved: dict[int, Place] = field(default_factory=dict)
    ended: bool = False

    def move(self, distance: int) -> None:
        offset = self.sp.offset + distance
        if abs(offset) > _FARTHEST:
            raise FormatError("a frame is larger than any stack")
        self.sp = Place(self.sp.register, offset)

    def pop(self, first: int, mask: int) -> None:
        """Restore the registers of a mask, whose lowest bit is the register `first`, in ascending order."""
        for number in range(first, PC + 1):
            if mask >> (number - first) & 1:
                self.saved[number] = self.sp
                self.move(4)
        self.ended = SP in self.saved

    def take(self, register: int) -> None:
        """Go on from what a register holds."""
        if register in (SP, PC) or register in self.saved:
            raise FormatError("the stack pointer comes from a register that does not hold one")
        self.sp = Place(register, 0)


def name(register: int) -> str:
    return ("sp", "lr", "pc")[register - SP] if register >= SP else f"r{register}"


def rules(instructions: bytes) -> str:
    """The rules of a function. FormatError for instructions that cannot be followed."""
    state = _State()
    rest = iter(instructions)
    for code in rest:
        if code == 0xB0:
            break
        if state.ended:
            raise FormatError("the stack goes on where it is not known")
        _run(code, rest, state)
    return _text(state)


def _text(state: _State) -> str:
    """The terms: places relative to the CFA where they begin at the same register.

    No function gives back the stack pointer itself: what does is the way back from a signal handler.
    """
    saved = state.saved
    place = saved.pop(SP, None)
    cfa = None if place else state.sp
    terms = [f".cfa: {_loaded(place, None) if place else state.sp.term()}"]
    terms.append(f".ra: {_loaded(returned, cfa) if (returned := saved.get(PC) or saved.get(LR)) else name(LR)}")
    terms += [
        f"{name(number)}: {_loaded(saved[number], cfa)}" for number in sorted(saved) if number < (PC if place else SP)
    ]
    return " ".join([*terms, SIGNAL] if place else terms)


def _loaded(place: Place, cfa: Place | None) -> str:
    if cfa is not None and place.register == cfa.register:
        return f".cfa {place.offset - cfa.offset} + ^"
    return f"{place.term()} ^"


def _run(code: int, rest: Iterator[int], state: _State) -> None:
    """One instruction, whose first byte is `code`; what else it has is taken from `rest`."""
    if code < 0x80:
        distance = ((code & 0x3F) << 2) + 4
        state.move(-distance if code & 0x40 else distance)
    elif code < 0x90:
        mask = (code & 0x0F) << 8 | _next(rest)
        if not mask:
            raise FormatError("the tables refuse to unwind")
        state.pop(4, mask)
    elif code < 0xA0:
        state.take(code & 0x0F)
    elif code < 0xB0:
        state.pop(4, (1 << ((code & 7) + 1)) - 1 | (0x400 if code & 8 else 0))
    else:
        _run_rare(code, rest, state)


def _run_rare(code: int, rest: Iterator[int], state: _State) -> None:
    """Registers that no caller asks for (floating point, vectors) only take their room."""
    match code:
        case 0xB1:
            state.pop(0, _low_registers(rest))
        case 0xB2:
            state.move(0x204 + (_uleb(rest) << 2))
        case 0xB3:
            state.move(_range_bytes(rest) + 4)
        case 0xB4:
            # The code that signs a return address.
            state.move(4)
        case 0xB5:
            pass
        case 0xC6 | 0xC8 | 0xC9:
            state.move(_range_bytes(rest))
        case 0xC7:
            state.move(4 * _low_registers(rest).bit_count())
        case _:
            state.move(_short_range_bytes(code))


def _short_range_bytes(code: int) -> int:
    """The room of one to eight registers of eight bytes; FormatError for an instruction that nobody has defined."""
    size = 8 * ((code & 7) + 1)
    if code & 0xF8 == 0xB8:
        return size + 4
    if code & 0xF8 in (0xC0, 0xD0):
        return size
    raise FormatError("an unwinding instruction is not known")


def _range_bytes(rest: Iterator[int]) -> int:
    return 8 * ((_next(rest) & 0x0F) + 1)


def _low_registers(rest: Iterator[int]) -> int:
    """A mask of the registers 0 to 3."""
    mask = _next(rest)
    if not 0 < mask < 0x10:
        raise FormatError("an unwinding instruction is not known")
    return mask


def _uleb(rest: Iterator[int]) -> int:
    value = 0
    for at in range(_LONGEST_ULEB):
        byte = _next(rest)
        value |= (byte & 0x7F) << 7 * at
        if not byte & 0x80:
            return value
    raise FormatError("a number is too long")


def _next(rest: Iterator[int]) -> int:
    found = next(rest, None)
    if found is None:
        raise FormatError("an unwinding instruction is cut off")
    return found
