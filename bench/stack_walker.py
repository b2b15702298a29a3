"""Breakpad's stack walker as the npm package `minidump` ships it, and symbols for it: fetched and made once.

The package is unpacked without running any script of it; what it holds is checked against its digest.
"""

from __future__ import annotations

import hashlib
import lzma
import shutil
import subprocess
import tarfile
from pathlib import Path

from bench import workload

CACHE = Path(__file__).parent / ".cache"
PACKAGE = "minidump@0.26.0"
DIGEST = "0b09e132e39a5bf555324078a7f1fa2f3fe5c498f44bd80bf6fdfca92c1e2bbd"
SYSTEM_RULES = Path(__file__).parents[1] / "tests" / "fixtures" / "system_cfi"


class Unavailable(Exception):
    """The walker cannot be had here; the message says why."""


def stack_walker() -> tuple[Path, Path]:
    """The program, and the directory with its symbols. Raises Unavailable."""
    CACHE.mkdir(exist_ok=True)
    programs = CACHE / "package" / "bin" / "linux-x64"
    if not (programs / "minidump_stackwalk").exists():
        _unpack(_fetch())
    symbols = CACHE / "symbols"
    if not symbols.exists():
        _make_symbols(programs / "dump_syms", symbols)
    return programs / "minidump_stackwalk", symbols


def system_rules() -> list[bytes]:
    """Breakpad symbol files with the unwind rules of the system libraries that the dump was made with."""
    return [lzma.decompress(path.read_bytes()) for path in sorted(SYSTEM_RULES.glob("*.cfi.xz"))]


def breakpad_place(symbols: bytes) -> str:
    """Where a Breakpad symbol file belongs in a directory of them."""
    _, _, _, identifier, name = symbols.split(b"\n", 1)[0].decode().split(" ", 4)
    return f"{name}/{identifier}/{name}.sym"


def _fetch() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    fetched = subprocess.run(
        [npm, "pack", PACKAGE, "--ignore-scripts", "--silent"], cwd=CACHE, capture_output=True, text=True, timeout=120
    )
    if fetched.returncode:
        raise Unavailable(f"npm cannot fetch {PACKAGE}")
    archive = CACHE / fetched.stdout.strip().splitlines()[-1]
    if hashlib.sha256(archive.read_bytes()).hexdigest() != DIGEST:
        raise Unavailable(f"{PACKAGE} is not what it was")
    return archive


def _unpack(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        wanted = [item for item in packed if item.name.startswith("package/bin/linux-x64/") and item.isfile()]
        packed.extractall(CACHE, members=wanted, filter="data")


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
