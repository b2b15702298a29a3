"""Running the call frame instructions of an entry: one row of rules for every address at which rules change.

After DWARF 5 (6.4.2), with the extensions that compilers for Linux use.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.formats.bytewise import FormatError
from engine.formats.eh_frame.entries import Cie, Fde, Frames, pointer
from engine.formats.eh_frame.expressions import translate
from engine.formats.eh_frame.numbers import Numbers
from engine.formats.eh_frame.registers import Machine

_DEEPEST: Final = 256
# A rule that holds, but says nothing that could be written down.
UNSAID: Final = ""


@dataclass(slots=True)
class Rules:
    """The rules at one address, as terms of unwind text: of the frame's address (CFA), and of registers by number.

    The CFA is a register with an offset in bytes, or the term of an expression (`UNSAID` when it has none).
    """

    register: int = 0
    offset: int = 0
    term: str | None = UNSAID
    registers: dict[int, str] = field(default_factory=dict)

    def copy(self) -> Rules:
        return Rules(self.register, self.offset, self.term, dict(self.registers))

    def cfa(self, machine: Machine) -> str:
        """The term of the CFA."""
        if self.term is not None:
            return self.term
        if self.register >= len(machine.names):
            return UNSAID
        return f"{machine.names[self.register]} {self.offset} +"


class Program:
    """The instructions of one entry, run over the rules that those of its CIE left."""

    def __init__(self, frames: Frames, cie: Cie, machine: Machine, first: Rules | None) -> None:
        """`first` are the rules after the CIE's instructions, None while these are run themselves."""
        self._frames = frames
        self._cie = cie
        self._names = machine.names
        self._first = first
        self.rules = first.copy() if first else Rules()
        self._kept: list[Rules] = []

    def rows(self, start: int, instructions: Numbers) -> Iterator[tuple[int, Rules]]:
        """Addresses from `start` on, and the rules from there on; the rules change when the next row is asked for.

        What comes behind an instruction that cannot be run is left out.
        """
        here = start
        try:
            while instructions.position < instructions.end:
                code = instructions.u8()
                there = self._advance(code, here, instructions)
                if there is None:
                    self._change(code, instructions)
                elif there > here:
                    yield here, self.rules
                    here = there
        except FormatError:
            # The entry is damaged from here on; what was read holds up to here, and what comes is not known.
            pass
        yield here, self.rules

    def _advance(self, code: int, here: int, numbers: Numbers) -> int | None:
        """The address that an instruction goes on to; None when it is of another kind."""
        factor = self._cie.code_factor
        if code & 0xC0 == 0x40:
            return here + (code & 0x3F) * factor
        if code in (0x02, 0x03, 0x04):
            return here + numbers.number(1 << (code - 2)) * factor
        if code == 0x01:
            return pointer(self._frames, numbers, self._cie.encoding)
        return here + numbers.number(8) * factor if code == 0x1D else None

    def _change(self, code: int, numbers: Numbers) -> None:
        """Run an instruction that changes rules. FormatError for one that is not known."""
        if code >= 0x80:
            register = code & 0x3F
            if code & 0xC0 == 0x80:
                self._at_offset(register, numbers.uleb() * self._cie.data_factor)
            else:
                self._restore(register)
        elif 0x0C <= code <= 0x0F or code in (0x12, 0x13):
            self._change_cfa(code, numbers)
        elif code in _OF_REGISTERS:
            self._change_register(code, numbers)
        elif code == 0x0A:
            self._keep()
        elif code == 0x0B:
            if not self._kept:
                raise FormatError("rules are brought back that nobody kept")
            self.rules = self._kept.pop()
        elif code == 0x2E:
            numbers.uleb()
        elif code not in (0x00, 0x2D):
            raise FormatError("an instruction is not known")

    def _keep(self) -> None:
        if len(self._kept) >= _DEEPEST:
            raise FormatError("rules are kept too often")
        self._kept.append(self.rules.copy())

    def _change_cfa(self, code: int, numbers: Numbers) -> None:
        rules, factor = self.rules, self._cie.data_factor
        if code == 0x0F:
            rules.term = self._expression(numbers) or UNSAID
            return
        if code in (0x0C, 0x0D, 0x12):
            rules.register = numbers.uleb()
            rules.term = None
        if code in (0x0C, 0x0E):
            rules.offset = numbers.uleb()
        elif code in (0x12, 0x13):
            rules.offset = numbers.sleb() * factor

    def _change_register(self, code: int, numbers: Numbers) -> None:
        register, factor = numbers.uleb(), self._cie.data_factor
        match code:
            case 0x05:
                self._at_offset(register, numbers.uleb() * factor)
            case 0x11:
                self._at_offset(register, numbers.sleb() * factor)
            case 0x2F:
                self._at_offset(register, -numbers.uleb() * factor)
            case 0x06:
                self._restore(register)
            case 0x07:
                self._set(register, UNSAID)
            case 0x08:
                self._set(register, self._name(register) or UNSAID)
            case 0x09:
                self._set(register, self._name(numbers.uleb()) or UNSAID)
            case 0x14 | 0x15:
                distance = (numbers.uleb() if code == 0x14 else numbers.sleb()) * factor
                self._set(register, f".cfa {distance} +")
            case _:
                term = self._expression(numbers)
                self._set(register, UNSAID if not term else f"{term} ^" if code == 0x10 else term)

    def _at_offset(self, register: int, distance: int) -> None:
        self._set(register, f".cfa {distance} + ^")

    def _restore(self, register: int) -> None:
        before = self._first.registers.get(register) if self._first else None
        if before is None:
            self.rules.registers.pop(register, None)
        else:
            self._set(register, before)

    def _set(self, register: int, term: str) -> None:
        """Rules of registers without a name are of no use to anybody; the return address may have none."""
        if register < len(self._names) or register == self._cie.return_register:
            self.rules.registers[register] = term

    def _name(self, register: int) -> str | None:
        return self._names[register] if register < len(self._names) else None

    def _expression(self, numbers: Numbers) -> str | None:
        size = numbers.uleb()
        body = numbers.within(numbers.position + size)
        numbers.skip(size)
        return translate(body, self._name)


_OF_REGISTERS: Final = frozenset({0x05, 0x06, 0x07, 0x08, 0x09, 0x10, 0x11, 0x14, 0x15, 0x16, 0x2F})


def first_rules(frames: Frames, cie: Cie, machine: Machine) -> Rules:
    """The rules with which every function of a CIE begins."""
    instructions = cie.instructions.within(cie.instructions.end)
    program = Program(frames, cie, machine, None)
    for _ in program.rows(0, instructions):
        pass
    return program.rules


def rows(frames: Frames, entry: Fde, machine: Machine, first: Rules) -> Iterator[tuple[int, Rules]]:
    """The rows of a function, by absolute address."""
    return Program(frames, entry.cie, machine, first).rows(entry.start, entry.instructions)
