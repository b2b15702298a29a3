"""The unwind tables of an ELF file as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from engine.formats.bytewise import Data, FormatError
from engine.formats.eh_frame.entries import Fde, Frames, entries
from engine.formats.eh_frame.program import Rules, first_rules
from engine.formats.eh_frame.registers import MACHINES, Machine
from engine.formats.eh_frame.text import lines
from engine.formats.elf import Elf, Section

EH_FRAME: Final = b".eh_frame"
DEBUG_FRAME: Final = b".debug_frame"
# An older way of packing, which is not unpacked here.
PACKED_DEBUG_FRAME: Final = b".zdebug_frame"
MAX_TEXT_BYTES: Final = 512 << 20
# A C library has one or two.
MAX_SIGNAL_ENTRIES: Final = 64
# Version and augmentation of a CIE.
_SIGNAL_CIE: Final = re.compile(rb"[\x01\x03\x04]z[A-Z]{0,7}S")


def unwind_text(data: Data) -> bytes:
    """The STACK CFI records of every function whose entry can be read, by relative addresses.

    FormatError when `data` is no ELF file of a known machine, or no entry can be read.
    """
    elf = Elf(data)
    machine = MACHINES.get(elf.machine)
    if machine is None:
        raise FormatError("unwind tables of an unknown machine")
    text = bytearray()
    for line in _all_lines(elf, machine):
        text += line.encode()
        if len(text) > MAX_TEXT_BYTES:
            break
    if not text:
        raise FormatError("no unwind entry can be read")
    return bytes(text)


def signal_text(data: Data) -> bytes:
    """The STACK CFI records of code that signal handlers return to, each with the rule `.signal`.

    FormatError when `data` is no ELF file. Costs next to nothing for files that have none.
    """
    elf = Elf(data)
    machine, section = MACHINES.get(elf.machine), elf.find(EH_FRAME)
    if machine is None or section is None:
        return b""
    frames = section_frames(elf, section)
    if _SIGNAL_CIE.search(frames.content) is None:
        return b""
    found = (entry for entry in entries(frames) if entry.cie.signal)
    return "".join(_lines(elf, machine, frames, islice(found, MAX_SIGNAL_ENTRIES))).encode()


def has_unwind_tables(data: Data) -> bool:
    """Whether an ELF file has an unwind entry for any function. Tables that cannot be read are not taken for empty.

    FormatError when `data` is no ELF file.
    """
    elf = Elf(data)
    return elf.find(PACKED_DEBUG_FRAME) is not None or any(_has_entry(elf, name) for name in (EH_FRAME, DEBUG_FRAME))


def _has_entry(elf: Elf, name: bytes) -> bool:
    section = elf.find(name)
    if section is None:
        return False
    try:
        return any(True for _ in entries(section_frames(elf, section)))
    except FormatError:
        return True


def _all_lines(elf: Elf, machine: Machine) -> Iterator[str]:
    for name in (DEBUG_FRAME, EH_FRAME):
        section = elf.find(name)
        if section is not None:
            # One section that cannot be unpacked does not spoil the other.
            with suppress(FormatError):
                frames = section_frames(elf, section)
                yield from _lines(elf, machine, frames, entries(frames))


def _lines(elf: Elf, machine: Machine, frames: Frames, listed: Iterable[Fde]) -> Iterator[str]:
    known: dict[int, Rules] = {}
    for entry in listed:
        if entry.cie_place not in known:
            known[entry.cie_place] = first_rules(frames, entry.cie, machine)
        yield from lines(frames, entry, machine, known[entry.cie_place], elf.load_address)


def section_frames(elf: Elf, section: Section) -> Frames:
    """The tables of a section. Raises FormatError when it cannot be unpacked."""
    return Frames(
        content=elf.content(section),
        address=section.address,
        debug=section.name == DEBUG_FRAME,
        big=elf.big,
        word=8 if elf.wide else 4,
        text=_address(elf.find(b".text")),
        data=_address(elf.find(b".got")),
    )


def _address(section: Section | None) -> int:
    return section.address if section else 0
