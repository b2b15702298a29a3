"""One target in a process of its own, which its inputs may end: what it was reading then is on disk."""

from __future__ import annotations

import faulthandler
import hashlib
import random
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from fuzz.mutation import bent, inputs
from fuzz.target import MOST_BYTES, Target, run_one

MOST_MEMORY = 4 << 30
_MOST_FINDINGS = 5
_GUARD_SECONDS = 120


def run(target: Target, place: Path, *, seconds: float, seed: int, guided: bool) -> int:
    """Try inputs for so long. 1 when something was found, which is then a file in `place`."""
    _limit(seconds)
    if guided:
        _guided(target, place, seconds, seed)
    return _by_chance(target, place, seconds, seed)


def reproduce(target: Target, path: Path) -> int:
    """Give a target one file, without a net: the error is shown as it comes."""
    run_one(target, path.read_bytes())
    print("This input is read or refused as it should be.")
    return 0


def _limit(seconds: float) -> None:
    """Memory and processor time of the whole process; native code that loops or grows ends by them."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    cpu = int(seconds) + _GUARD_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))


def _by_chance(target: Target, place: Path, seconds: float, seed: int) -> int:
    ends, tried, found = time.monotonic() + seconds, 0, set[str]()
    current = place / "current"
    for data in inputs(target, random.Random(f"{seed} {target.name}")):
        if time.monotonic() > ends or len(found) >= _MOST_FINDINGS:
            break
        tried += 1
        # Stays where the process is ended from outside, by a signal or a limit.
        current.write_bytes(data)
        try:
            run_one(target, data)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
            if isinstance(error, KeyboardInterrupt):
                raise
            _note(place, data, error, found)
    current.unlink(missing_ok=True)
    print(f"{tried} inputs")
    return int(bool(found))


def _note(place: Path, data: bytes, error: BaseException, found: set[str]) -> None:
    """Keep the first input for each place in the code that an error comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{type(error).__name__} {frames[-1].filename}:{frames[-1].lineno}"
    if where in found:
        return
    found.add(where)
    path = place / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    print(f"{where}: {str(error)[:200]!r}: {path}")
    traceback.print_exception(error, limit=-6, file=sys.stdout)


def _guided(target: Target, place: Path, seconds: float, seed: int) -> None:
    """Hands the process over to libFuzzer, which ends it: with 0 when nothing was found."""
    import atheris

    seeds = [*target.seeds(), b""]
    corpus = place / "corpus"
    corpus.mkdir(exist_ok=True)
    for data in seeds:
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data[:MOST_BYTES])

    def mutate(data: bytes, most: int, chosen: int) -> bytes:
        dice = random.Random(chosen)
        changed: bytes = atheris.Mutate(data, most) if dice.random() < 0.3 else bent(data, seeds, target, dice)
        return changed[:most]

    options: list[Any] = [
        sys.argv[0],
        str(corpus),
        f"-max_total_time={int(seconds)}",
        f"-seed={seed % (1 << 32) or 1}",
        f"-max_len={MOST_BYTES}",
        f"-artifact_prefix={place}/",
        f"-rss_limit_mb={MOST_MEMORY >> 20}",
        "-timeout=60",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup(options, lambda data: run_one(target, data), custom_mutator=mutate)
    atheris.Fuzz()
