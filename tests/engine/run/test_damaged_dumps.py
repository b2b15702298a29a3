"""Damaged dumps through the whole engine: an answer or a clean refusal each time, within bounded time.

SYMBOLSVC_FUZZ_SECONDS makes the sample longer.
"""

from __future__ import annotations

import os
import random
import struct
import time

import pytest

from engine.errors import BadReport
from tests.engine.run.gdb_frames import CRASHES
from tests.engine.run.reports import ask_dump, directory_source, put_own_files, put_system_rules, unpacked
from tests.engine.run.serving import FIXTURES

SECONDS = float(os.environ.get("SYMBOLSVC_FUZZ_SECONDS", "0"))
SAMPLES = 40
WORDS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF)


@pytest.fixture(scope="session")
def all_symbols(tmp_path_factory):
    directory = tmp_path_factory.mktemp("all")
    put_own_files(directory)
    put_system_rules(directory)
    return directory_source(directory)


def damage(dump: bytes, chance: random.Random) -> bytes:
    changed = bytearray(dump)
    # Headers, lists and contexts lie in front, stacks behind.
    reach = chance.choice([256, 4096, len(changed)])
    for _ in range(chance.choice([1, 3, 20])):
        at = chance.randrange(min(reach, len(changed) - 8))
        if chance.random() < 0.5:
            changed[at] ^= 1 << chance.randrange(8)
        else:
            struct.pack_into("<Q", changed, at & ~3, chance.choice(WORDS))
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


def judge(engine, dump, source):
    """What became of a dump: an answer that holds together, or a refusal with a message."""
    started = time.monotonic()
    try:
        answer = ask_dump(engine, dump, [source], explain=True)
    except BadReport as refused:
        return "refused" if refused.message else "refused without a word"
    assert time.monotonic() - started < 20
    for stack in answer["stacktraces"]:
        assert len({frame["original_index"] for frame in stack["frames"]}) <= 256
    return "answered"


@pytest.mark.parametrize("crash", sorted(CRASHES)[::3])
def test_damaged_dumps_are_answered_or_refused(crash, engine, all_symbols):
    dump = unpacked(FIXTURES / f"crash/{crash}.dmp.xz")
    chance = random.Random(crash)
    ends = time.monotonic() + SECONDS
    seen = [judge(engine, damage(dump, chance), all_symbols) for _ in range(SAMPLES)]
    while time.monotonic() < ends:
        seen.append(judge(engine, damage(dump, chance), all_symbols))
    assert set(seen) == {"answered", "refused"}
