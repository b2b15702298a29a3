"""Breakpad's programs as the npm package `minidump` ships them, fetched once.

The package is unpacked without running any script of it; what it holds is checked against its digest.
`python3 bench/breakpad.py` prints the directory of the programs; SYMBOLSVC_BREAKPAD_DIR names another one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent / ".cache"
PACKAGE = "minidump@0.26.0"
DIGEST = "0b09e132e39a5bf555324078a7f1fa2f3fe5c498f44bd80bf6fdfca92c1e2bbd"
BELOW = "package/bin/linux-x64"
STACK_WALKER = "minidump_stackwalk"


class Unavailable(Exception):
    """The programs cannot be had here; the message says why."""


def directory() -> Path:
    """Where the programs lie, or would lie once they are fetched."""
    named = os.environ.get("SYMBOLSVC_BREAKPAD_DIR")
    return Path(named) if named else CACHE / BELOW


def programs() -> Path:
    """The directory of the programs, fetched if need be. Raises Unavailable."""
    place = directory()
    if not (place / STACK_WALKER).exists():
        if place != CACHE / BELOW:
            raise Unavailable(f"there is no {STACK_WALKER} in {place}")
        CACHE.mkdir(exist_ok=True)
        _unpack(_fetch())
    return place


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
        wanted = [item for item in packed if item.name.startswith(f"{BELOW}/") and item.isfile()]
        packed.extractall(CACHE, members=wanted, filter="data")


if __name__ == "__main__":
    try:
        print(programs())
    except Unavailable as reason:
        sys.exit(str(reason))
