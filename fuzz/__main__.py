"""Fuzzing for as long as wanted: `python -m fuzz --seconds 600`.

Each target gets its share of the time in a child of its own, with limits of memory and processor time; with `atheris`
guided by coverage, without it by chance alone. What was found is under `var/fuzz`; the exit code says whether anything
was.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import sys
import time
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from fuzz.child import reproduce, run
from fuzz.target import Target

FINDINGS = Path("var/fuzz")
_INSTRUMENTED = ["engine", "core", "crashes", "debugfiles", "symbolserver"]
_SHOWN_LINES = 25


def main() -> int:
    """The exit code: 1 when anything was found."""
    given = _arguments()
    guided = given.guided and not given.list and not given.reproduce and importlib.util.find_spec("atheris") is not None
    targets = _chosen(load(guided=guided), given.targets)
    if given.list:
        print("\n".join(targets))
        return 0
    if given.reproduce:
        return reproduce(next(iter(targets.values())), given.reproduce)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 31)
    share = given.seconds / len(targets)
    print(f"{len(targets)} targets, {share:.0f} s each, {'guided by coverage' if guided else 'by chance'}, seed {seed}")
    failed = [name for name, target in targets.items() if not _passes(target, share, seed, guided)]
    if failed:
        print(f"Findings of {', '.join(failed)} are below {FINDINGS}; see fuzz/README.md for what to do with them.")
    return int(bool(failed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=["*"], help="names or patterns; all when none is given")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=None, help="another one each time, unless given")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--reproduce", type=Path, help="give the one target this file")
    parser.add_argument("--by-chance", dest="guided", action="store_false", help="leave `atheris` alone")
    return parser.parse_args()


def load(*, guided: bool = False) -> Mapping[str, Target]:
    """The targets, every branch of our own code watched where the run is `guided`. No database is asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    os.environ.setdefault("SECRET_KEY", "fuzz-" + "0" * 45)
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    if not guided:
        return _imported()
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):
        return _imported()


def _imported() -> Mapping[str, Target]:
    import django

    django.setup()
    from fuzz.targets import TARGETS

    return TARGETS


def _chosen(targets: Mapping[str, Target], patterns: list[str]) -> dict[str, Target]:
    found = {name: target for name, target in targets.items() if any(fnmatch(name, pattern) for pattern in patterns)}
    if not found:
        sys.exit(f"There is no target {' '.join(patterns)}; --list prints them all.")
    return found


def _passes(target: Target, seconds: float, seed: int, guided: bool) -> bool:
    """Run one target in a child, whatever becomes of that; whether nothing was found."""
    place = FINDINGS / target.name.replace(" ", "-").replace(":", "")
    place.mkdir(parents=True, exist_ok=True)
    log, began = place / "log", time.monotonic()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _become_child(target, place, log, seconds, seed, guided)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    print(f"{target.name}: {f'FOUND (exit {code})' if code else 'nothing found'} ({time.monotonic() - began:.0f} s)")
    if code:
        print("\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]))
    sys.stdout.flush()
    return code == 0


def _become_child(target: Target, place: Path, log: Path, seconds: float, seed: int, guided: bool) -> None:
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    code = 1
    try:
        code = run(target, place, seconds=seconds, seed=seed, guided=guided)
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
