"""The records of Breakpad's unwind text: how they are told apart and taken to pieces.

After Breakpad's description of its symbol files (docs/symbol_files.md): `STACK CFI INIT address size rules`, then
`STACK CFI address rules` for what changes from there on; `STACK WIN type address size prologue epilogue parameters
saved_registers locals max_stack has_program program_or_flag`. Addresses are relative to the module and hexadecimal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Longer than any compiler's rules; what is longer is not read.
MAX_RULES_BYTES = 1 << 16
MAX_ROWS = 1 << 16
_HEX = rb"([0-9a-fA-F]{1,16})"
# Where records begin, with the line break before them: a fixed beginning is what makes searching fast.
INIT, WIN = b"\nSTACK CFI INIT ", b"\nSTACK WIN "
INIT_FIELDS = re.compile(INIT + rb" *" + _HEX + rb" +" + _HEX + rb" ")
INIT_START = re.compile(INIT + rb"(?: *" + _HEX + rb" +" + _HEX + rb" )?")
WIN_START = re.compile(WIN + rb"(?: *([0-9a-fA-F]) +" + _HEX + rb" +" + _HEX + rb" )?")
_RULES = rb" +([^\r\n]{0,%d})\r?(?:\n|\Z)" % MAX_RULES_BYTES
_INIT = re.compile(rb"STACK CFI INIT +" + _HEX + rb" +" + _HEX + _RULES)
_ROW = re.compile(rb"STACK CFI +" + _HEX + _RULES)
_WIN = re.compile(rb"STACK WIN +([04])" + (rb" +" + _HEX) * 8 + rb" +([01])" + _RULES)
_MODULE = re.compile(rb"MODULE +(\S{1,40}) +(\S{1,40}) +([0-9a-fA-F]{32,48}) +([^\r\n]{1,4096})")


@dataclass(frozen=True, slots=True)
class WinRecord:
    """One STACK WIN record: `kind` 4 is frame data, 0 is FPO; `start` is relative, all sizes are in bytes.

    `program` is None where the record has none; `allocates_base_pointer` is said by records without one.
    """

    kind: int
    start: int
    size: int
    prologue_size: int
    epilogue_size: int
    parameter_size: int
    saved_register_size: int
    local_size: int
    max_stack_size: int
    program: str | None
    allocates_base_pointer: bool


def read_cfi(text: memoryview, place: int, relative: int) -> tuple[int, str] | None:
    """Start of the range of the record at `place`, and its rules together with those of the rows up to `relative`."""
    found = _INIT.match(text, place)
    if found is None:
        return None
    rows = [(address, rules) for address, rules in _rows(text, found.end()) if address <= relative]
    rows.sort(key=lambda row: row[0])
    return int(found[1], 16), " ".join([_plain(found[3]), *(rules for _, rules in rows)])


def read_win(text: memoryview, place: int) -> WinRecord | None:
    """The record at `place`."""
    found = _WIN.match(text, place)
    if found is None:
        return None
    start, size, prologue, epilogue, parameters, saved, local, stack = (int(found[at], 16) for at in range(2, 10))
    program = _plain(found[11]) if found[10] == b"1" else None
    return WinRecord(
        kind=int(found[1]),
        start=start,
        size=size,
        prologue_size=prologue,
        epilogue_size=epilogue,
        parameter_size=parameters,
        saved_register_size=saved,
        local_size=local,
        max_stack_size=stack,
        program=program,
        allocates_base_pointer=program is None and _plain(found[11]) == "1",
    )


def read_module(text: memoryview) -> tuple[str, str] | None:
    """Name and id (Breakpad's form) of the debug file, where the text begins by saying them."""
    found = _MODULE.match(text)
    if found is None:
        return None
    return found[4].decode("utf-8", "replace").rstrip(), found[3].decode()


def _rows(text: memoryview, place: int) -> list[tuple[int, str]]:
    rows: list[tuple[int, str]] = []
    while len(rows) < MAX_ROWS and (found := _ROW.match(text, place)) is not None:
        rows.append((int(found[1], 16), _plain(found[2])))
        place = found.end()
    return rows


def _plain(rules: bytes) -> str:
    return rules.decode("ascii", "replace").strip()
