"""Files of packages of the npm registry, fetched once into a cache directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from symbolsvc.environment import BASE_DIR


class Unavailable(Exception):
    """npm is not installed, or the registry cannot be reached."""


def package(name: str, version: str) -> Path:
    """The directory of a package, unpacked. Raises Unavailable.

    It lies below SYMBOLSVC_CLIENTS_DIR, `var/clients` without it.
    """
    cache = Path(os.environ.get("SYMBOLSVC_CLIENTS_DIR") or BASE_DIR / "var" / "clients") / "npm"
    place = cache / f"{name.replace('/', '-').removeprefix('@')}-{version}"
    if not place.exists():
        cache.mkdir(parents=True, exist_ok=True)
        archive = _packed(f"{name}@{version}", cache)
        made = place.with_name(f"{place.name}.{os.getpid()}")
        with tarfile.open(archive) as tar:
            tar.extractall(made, filter="data")
        shutil.rmtree(archive.parent)
        if place.exists():
            shutil.rmtree(made)
        else:
            made.rename(place)
    return place / "package"


def _packed(wanted: str, cache: Path) -> Path:
    """The archive of a package; npm names it on its last line."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not installed")
    room = cache / f"pack-{os.getpid()}"
    room.mkdir(exist_ok=True)
    done = subprocess.run([npm, "pack", wanted, "--silent"], cwd=room, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise Unavailable(f"npm cannot fetch {wanted}")
    return room / done.stdout.split()[-1]
