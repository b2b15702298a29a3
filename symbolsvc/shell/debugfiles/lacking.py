"""What a debug file lacks for names and lines, and what to do about it, in sentences for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from debugfiles.kinds import Identified, SymbolType
from engine.modules import DebugId

_COMPANION: Final = "dbg"
_LINE: Final = 4096
_BREAKPAD_ID: Final = re.compile(r"[0-9A-Fa-f]{33,40}")
_ELSEWHERE: Final = {
    SymbolType.ELF: "upload the file that its debug information was split off into (.debug) too",
    SymbolType.MACHO: "upload its dSYM too",
    SymbolType.PE: "its names and lines are in its PDB: upload that too",
    SymbolType.WASM: "build it with -g, or upload the file that its debug information was split off into too",
}
_UNWOUND: Final = frozenset({SymbolType.ELF, SymbolType.MACHO, SymbolType.BREAKPAD})


def lacking(item: Identified, path: Path) -> Iterator[str]:
    """One sentence for each thing; nothing for a file that has all there can be."""
    yield from _ids(item)
    if item.symbol_type in _ELSEWHERE and item.kind != _COMPANION and "debug" not in item.features:
        yield f"{_debug_information(item)}; {_ELSEWHERE[item.symbol_type]}."
    if item.symbol_type in _ELSEWHERE and item.kind == _COMPANION and "debug" not in item.features:
        yield "It should have debug information, and has none."
    if item.symbol_type is SymbolType.PDB and "debug" not in item.features:
        yield "Only public symbols: frames get names without lines. Upload the private PDB too."
    if item.symbol_type in _UNWOUND and "unwind" not in item.features:
        yield _unwinding(item)
    if item.symbol_type is SymbolType.BREAKPAD:
        yield from _place(item, path)


def _ids(item: Identified) -> Iterator[str]:
    if item.debug_id is None:
        yield "No debug id: it is found by its code id alone."
    elif item.symbol_type is SymbolType.ELF and not item.code_id:
        yield "No build id: its debug id is made from its code. Link with -Wl,--build-id."


def _debug_information(item: Identified) -> str:
    if item.symbol_type is SymbolType.PE or "symtab" in item.features:
        return "No debug information, so names at best and no lines"
    return "No debug information and no symbols: it is stripped"


def _unwinding(item: Identified) -> str:
    remedy = " Upload the program or library itself too." if item.kind == _COMPANION else ""
    return f"No unwind information: stacks of minidumps are guessed in it.{remedy}"


def _place(item: Identified, path: Path) -> Iterator[str]:
    """Where a Breakpad file lies as a symbol server has it, the directories name what its header should."""
    said, name = path.parent.name, path.parent.parent.name
    if _BREAKPAD_ID.fullmatch(said) is None:
        return
    if DebugId.parse(said) != item.debug_id:
        yield f"Its header says {item.debug_id}, its directory {DebugId.parse(said)}: crashes ask for one of the two."
    header = _module_name(path)
    if header and header != name:
        yield f"Its header names the module {header}, its directory {name}."


def _module_name(path: Path) -> str:
    with path.open("rb") as file:
        words = file.readline(_LINE).decode("utf-8", "replace").split(maxsplit=4)
    return words[4].strip() if len(words) == 5 else ""
