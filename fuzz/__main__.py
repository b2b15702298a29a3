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
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

FINDINGS = Path("var/fuzz")


def main() -> int:
    """How many targets had findings, at most one: the exit code."""
    given = _arguments()
    if given.child:
        from fuzz.child import run

        return run(given.child, seconds=given.seconds, seed=given.seed, guided=given.guided, findings=FINDINGS)
    targets = _chosen(given.targets)
    if given.list:
        print("\n".join(targets))
        return 0
    if given.reproduce:
        from fuzz.child import reproduce

        return reproduce(targets[0], given.reproduce)
    return _all(targets, given)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=["*"], help="names or patterns; all when none is given")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all targets together")
    parser.add_argument("--seed", type=int, default=None, help="another one each time, unless given")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--reproduce", type=Path, help="give the one target this file")
    parser.add_argument("--by-chance", dest="guided", action="store_false", help="leave `atheris` alone")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def _chosen(patterns: list[str]) -> list[str]:
    prepare()
    from fuzz.targets import TARGETS

    found = [name for name in TARGETS if any(fnmatch(name, pattern) for pattern in patterns)]
    if not found:
        sys.exit(f"There is no target {' '.join(patterns)}; --list prints them all.")
    return found


def prepare() -> None:
    """Django, as the parsers of requests want it; no database is asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    os.environ.setdefault("SECRET_KEY", "fuzz-" + "0" * 45)
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    import django

    django.setup()


def _all(targets: list[str], given: argparse.Namespace) -> int:
    guided = given.guided and importlib.util.find_spec("atheris") is not None
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1 << 31)
    share = given.seconds / len(targets)
    print(f"{len(targets)} targets, {share:.0f} s each, {'guided by coverage' if guided else 'by chance'}, seed {seed}")
    failed = []
    for name in targets:
        began = time.monotonic()
        ended = subprocess.run(_command(name, share, seed, guided))
        print(f"{name}: {'nothing found' if ended.returncode == 0 else 'FOUND'} ({time.monotonic() - began:.0f} s)")
        sys.stdout.flush()
        if ended.returncode:
            failed.append(name)
    if failed:
        print(f"Findings of {', '.join(failed)} are below {FINDINGS}; see fuzz/README.md for what to do with them.")
    return int(bool(failed))


def _command(name: str, seconds: float, seed: int, guided: bool) -> list[str]:
    command = [sys.executable, "-m", "fuzz", "--child", name, "--seconds", str(seconds), "--seed", str(seed)]
    return command if guided else [*command, "--by-chance"]


if __name__ == "__main__":
    sys.exit(main())
