"""Clients that other people wrote, installed by their own registries' tools in pinned versions, once per machine.

They lie in SYMBOLSVC_CLIENTS_DIR, or in `var/clients` beside the code. A test that needs one which cannot be had is
skipped, or fails where SYMBOLSVC_REQUIRE says so.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.needed import lacking, program

ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Pinned:
    """A program of a registry's package. `program` is its path below the place it is installed to."""

    registry: str
    packages: tuple[str, ...]
    program: str


def _npm(*packages: str, program: str) -> Pinned:
    return Pinned("npm", packages, f"node_modules/{program}")


PINNED = {
    ("sentry-cli", "3.8.2"): Pinned("pip", ("sentry-cli==3.8.2",), "bin/sentry-cli"),
    ("sentry-cli", "2.58.2"): Pinned("pip", ("sentry-cli==2.58.2",), "bin/sentry-cli"),
    ("sentry-cli", "2.39.1"): Pinned("pip", ("sentry-cli==2.39.1",), "bin/sentry-cli"),
    ("sentry", "0.45.0"): _npm("sentry@0.45.0", program=".bin/sentry"),
    ("sentry-node", "11.12.0"): _npm("@sentry/node@11.12.0", program="@sentry/node/package.json"),
    ("esbuild-plugin", "5.3.0"): _npm("@sentry/esbuild-plugin@5.3.0", "esbuild@0.25.0", program=".bin/esbuild"),
    ("backtrace-node", "0.8.3"): _npm("@backtrace/node@0.8.3", program="@backtrace/node/package.json"),
    ("axe-core", "4.14.1"): _npm("axe-core@4.14.1", program="axe-core/axe.min.js"),
    ("backtrace-browser", "0.4.2"): _npm("@backtrace/browser@0.4.2", "esbuild@0.25.0", program=".bin/esbuild"),
}


def clients_dir() -> Path:
    """Where clients are installed."""
    return Path(os.environ.get("SYMBOLSVC_CLIENTS_DIR") or ROOT / "var" / "clients").absolute()


def client(name: str, version: str) -> Path:
    """The program of a client, installed when it is first asked for."""
    return install(f"{name}-{version}", PINNED[name, version])


def install(directory: str, pinned: Pinned) -> Path:
    """The program of a package in a directory of its own; for clients that are not listed here."""
    place = clients_dir() / directory
    with _locked(place):
        if not (place / pinned.program).exists():
            _install(place, pinned)
    return place / pinned.program


def _install(place: Path, pinned: Pinned) -> None:
    fresh = place.with_name(f"{place.name}.{uuid4().hex}")
    fresh.mkdir(parents=True)
    try:
        done = subprocess.run(
            _command(pinned, fresh), cwd=fresh, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
        failure = "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-300:]
    except subprocess.TimeoutExpired:
        failure = "it took too long"
    if failure or not (fresh / pinned.program).exists():
        shutil.rmtree(fresh, ignore_errors=True)
        lacking(f"needs {' '.join(pinned.packages)}, which {pinned.registry} cannot install here: {failure}")
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)


def _command(pinned: Pinned, target: Path) -> Sequence[str]:
    if pinned.registry == "npm":
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
        return (program("npm"), "install", *quiet, "--prefix", str(target), *pinned.packages)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    return (sys.executable, "-m", "pip", "install", *quiet, "--target", str(target), *pinned.packages)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Workers of one run, and runs side by side, install a client once."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
