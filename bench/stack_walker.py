"""Breakpad's stack walker, and symbols for it: fetched and made once."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path

from bench import workload
from bench.breakpad import CACHE, STACK_WALKER, Unavailable, programs

__all__ = ["Unavailable", "breakpad_place", "stack_walker", "system_rules"]

SYSTEM_RULES = Path(__file__).parents[1] / "tests" / "fixtures" / "system_cfi"


def stack_walker() -> tuple[Path, Path]:
    """The program, and the directory with its symbols. Raises Unavailable."""
    place = programs()
    symbols = CACHE / "symbols"
    if not symbols.exists():
        CACHE.mkdir(exist_ok=True)
        _make_symbols(place / "dump_syms", symbols)
    return place / STACK_WALKER, symbols


def system_rules() -> list[bytes]:
    """Breakpad symbol files with the unwind rules of the system libraries that the dump was made with."""
    return [lzma.decompress(path.read_bytes()) for path in sorted(SYSTEM_RULES.glob("*.cfi.xz"))]


def breakpad_place(symbols: bytes) -> str:
    """Where a Breakpad symbol file belongs in a directory of them."""
    _, _, _, identifier, name = symbols.split(b"\n", 1)[0].decode().split(" ", 4)
    return f"{name}/{identifier}/{name}.sym"


def _make_symbols(dump_syms: Path, symbols: Path) -> None:
    made = CACHE / "symbols.new"
    shutil.rmtree(made, ignore_errors=True)
    libraries = CACHE / "libraries"
    libraries.mkdir(exist_ok=True)
    texts = system_rules()
    for name, data in workload.members().items():
        if name != "request.json":
            (libraries / name).write_bytes(data)
            texts.append(subprocess.run([dump_syms, libraries / name], capture_output=True, check=True).stdout)
    for text in texts:
        place = made / breakpad_place(text)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
    made.rename(symbols)
