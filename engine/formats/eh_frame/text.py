"""From the rows of an entry to the lines of unwind text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.formats.eh_frame.entries import Fde, Frames
from engine.formats.eh_frame.program import Rules, rows
from engine.formats.eh_frame.registers import Machine

# A name of our own among the rules, which other stack walkers take for a register that they do not know.
SIGNAL: Final = ".signal"


def lines(frames: Frames, entry: Fde, machine: Machine, first: Rules, base: int) -> Iterator[str]:
    """The STACK CFI records of one function; `base` is what their addresses are relative to.

    They begin where the frame's address can first be told, and go no further than the function.
    """
    said: dict[str, str] = {}
    end = entry.start + entry.size
    for start, news in _changes(frames, entry, machine, first):
        head = f"{start - base:x}" if said else f"INIT {start - base:x} {end - start:x}"
        yield f"STACK CFI {head} {' '.join(f'{name}: {term}' for name, term in news.items())}\n"
        said |= news


def terms_at(frames: Frames, entry: Fde, machine: Machine, first: Rules, address: int) -> dict[str, str]:
    """What the records of a function say of an absolute address in it: terms by register, none where they say nothing.

    As in the records, a register's term holds until it gets another.
    """
    said: dict[str, str] = {}
    for start, news in _changes(frames, entry, machine, first):
        if start > address:
            break
        said |= news
    return said


def _changes(frames: Frames, entry: Fde, machine: Machine, first: Rules) -> Iterator[tuple[int, dict[str, str]]]:
    """Addresses, and the terms that are others from there on."""
    said: dict[str, str] = {}
    end = entry.start + entry.size
    for start, rules in rows(frames, entry, machine, first):
        if start >= end:
            return
        terms = _terms(rules, entry.cie.return_register, machine)
        if not said and ".cfa" not in terms:
            continue
        if not said and machine.leaf_returns and entry.cie.return_register not in rules.registers:
            terms[".ra"] = _return_register(entry, machine)
        if not said and entry.cie.signal:
            terms[SIGNAL] = "1"
        news = {name: term for name, term in terms.items() if said.get(name) != term}
        if news:
            yield start, news
        said |= news


def _return_register(entry: Fde, machine: Machine) -> str:
    number = entry.cie.return_register
    return machine.names[number] if number < len(machine.names) else ""


def _terms(rules: Rules, return_register: int, machine: Machine) -> dict[str, str]:
    terms = {".cfa": rules.cfa(machine)}
    for number, term in rules.registers.items():
        terms[".ra" if number == return_register else machine.names[number]] = term
    return {name: term for name, term in terms.items() if term}
