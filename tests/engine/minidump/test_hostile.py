"""Dumps that somebody cut, bent or made up: an answer or one clean error, within bounded time and memory.

The sample is small here; SYMBOLSVC_DUMP_MUTATIONS says how many mutated dumps to read instead (100000
take some minutes).
"""

from __future__ import annotations

import os
import random
import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.minidump import BadMinidump, Cpu, Os, open_minidump
from engine.minidump.image import MAX_TEXTS_BYTES
from tests.engine.minidump.everything import ask_everything
from tests.engine.minidump.writer import CONTEXTS, Writer
from tests.engine.shared_fixtures import SHARED

MUTATIONS = int(os.environ.get("SYMBOLSVC_DUMP_MUTATIONS", "3000"))
SHARES = 4
NASTY = (0, 1, 4, 0xFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
# A dump of 300 KB takes about a millisecond; this leaves room for machines that are busy with other things.
MAX_SECONDS = 2


def rich(cpu: Cpu, system: Os, big_endian: bool) -> bytes:
    """A dump that has something in every stream."""
    writer = Writer(cpu, system, big_endian=big_endian)
    for number in range(3):
        stack = (0x7000 * (number + 1), bytes(range(256)))
        sp = {Cpu.X86: "esp", Cpu.X86_64: "rsp"}.get(cpu, "sp")
        known = {sp: stack[0] + 8} if sp in CONTEXTS[cpu].registers else {}
        writer.thread(number, known, stack=stack, name=f"thread {number}")
        writer.memory(*stack).memory64(0x100000 + number, b"wide")
        writer.module(
            0x10000 * (number + 1), 0x8000, f"/lib/{number}.so", build_id=bytes(range(20)), version=(1, 2, 3, 4)
        )
    writer.module(0x90000, 0x8000, "a.dll", pdb=("a.pdb", "3249d99d-0c40-4931-8610-f4e4fb0b6936", 1))
    writer.unloaded(0x3000, 0x1000, "old.dll").breakpad_info(1, 2)
    writer.exception(1, 11, flags=1, address=0x40, parameters=(1, 2, 3), registers={})
    writer.crashpad({"a": "b"}, {0: {"list": ["x"], "simple": {"c": "d"}, "objects": [("e", 1, b"f")]}})
    writer.stream(
        0x53790001, writer.pack("IIIIIII", 1, 1, 1, 4, 9, 0, 1).ljust(32, b"\0") + writer.pack("QII", 5, 0, 4) + b"main"
    )
    writer.stream(0x47670009, b"00400000-0041a000 r-xp 00001000 fe:01 131 /opt/a.so\n" * 20)
    writer.stream(16, writer.pack("IIQ", 16, 48, 1) + bytes(48)).stream(15, writer.pack("II", 24, 3) + bytes(808))
    return writer.build()


def seeds() -> list[bytes]:
    """Every dump at hand, and written ones for every processor."""
    written = [rich(cpu, system, big) for cpu in CONTEXTS for system, big in ((Os.LINUX, False), (Os.WINDOWS, True))]
    paths = sorted(path for path in (SHARED / "fixtures").rglob("*.dmp") if path.is_file())
    return written + [path.read_bytes() for path in paths]


def flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randrange(1, 30)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def lie(data: bytearray, chance: random.Random) -> None:
    """Numbers that are too great, anywhere or in header and directory; offsets that point elsewhere in the file."""
    area = len(data) if chance.random() < 0.5 else min(len(data), 400)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(0, area - 3) & ~3
        value = chance.choice(NASTY) if chance.random() < 0.5 else chance.randrange(len(data))
        data[at : at + 4] = value.to_bytes(4, chance.choice(("little", "little", "big")))


def overlay(data: bytearray, chance: random.Random) -> None:
    """One piece of the file over another."""
    size = chance.randrange(4, 200)
    source, target = (chance.randrange(len(data)) for _ in range(2))
    piece = data[source : source + size]
    data[target : target + len(piece)] = piece


def mutants(count: int, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    originals = seeds()
    for _ in range(count):
        data = bytearray(chance.choice(originals))
        for change in chance.choices((flip, truncate, lie, lie, overlay), k=chance.choice((1, 1, 1, 2))):
            if len(data) > 8:
                change(data, chance)
        yield bytes(data)


@pytest.mark.parametrize("share", range(SHARES))
def test_mutated_dumps_are_answered_or_refused(share: int):
    for data in mutants(MUTATIONS // SHARES, seed=share):
        started = time.monotonic()
        with suppress(BadMinidump):
            ask_everything(data)
        assert time.monotonic() - started < MAX_SECONDS


@given(st.binary(max_size=200), st.integers(0, 20))
def test_any_bytes_behind_a_good_header_are_answered_or_refused(tail: bytes, streams: int):
    with suppress(BadMinidump):
        ask_everything(b"MDMP\x93\xa7\0\0" + struct.pack("<II", streams, 32) + bytes(16) + tail)


@given(
    st.integers(0, 0xFFFFFFFF), st.sampled_from([3, 4, 5, 6, 8, 9, 14, 15, 16, 24, 0x43500001, 0x53790001, 0x4767000A])
)
def test_any_stream_of_any_content_is_survived(word: int, type: int):
    for raw in (struct.pack("<I", word) * 70, struct.pack("<Q", word) * 40, struct.pack("<II", 1, word) * 40):
        try:
            ask_everything(Writer().thread(1, {}).stream(type, raw).build())
        except BadMinidump:
            assert type == 3


def peak(data: bytes) -> int:
    tracemalloc.start()
    try:
        ask_everything(data)
    except BadMinidump:
        pass
    finally:
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return highest


def test_mutated_dumps_cost_little_memory():
    assert max(peak(data) for data in mutants(60, seed=99)) < 24 << 20


@pytest.mark.parametrize("type", [3, 4, 5, 9, 14, 16, 24, 0x53790001, 0x43500001, 0x4767000A])
def test_counts_that_lie_cost_nothing(type: int):
    for count in (0x7FFFFFFF, 0xFFFFFFFF):
        for raw in (
            struct.pack("<I", count),
            struct.pack("<III", 12, 24, count),
            struct.pack("<IIQ", 16, 48, count << 20),
        ):
            assert peak(Writer().stream(type, raw + bytes(64)).build()) < 1 << 20


def test_texts_that_share_their_place_do_not_add_up():
    count, text = 4000, struct.pack("<I", 0xFFF0) + b"a\0" * 0x7FF8
    writer = Writer().stream(0x7777, text).stream(4, bytes(4 + 108 * count))
    at = writer.build().index(text)
    modules = b"".join(struct.pack("<QIIII", 0x10000 * number, 0x1000, 0, 0, at) + bytes(84) for number in range(count))
    dump = open_minidump(writer.stream(4, struct.pack("<I", count) + modules).build())
    assert 0 < sum(2 * len(module.name) for module in dump.modules) <= MAX_TEXTS_BYTES
    assert len(dump.modules) == count
    assert dump.damaged[0].reason.endswith("the dump's texts are too long")


def test_a_line_of_maps_without_end_is_read_at_once():
    dump = open_minidump(Writer().stream(0x47670009, b"0-1 r-xp 0 0:0 0" + b" " * 3_000_000 + b"x").build())
    started = time.monotonic()
    assert [mapping.path for mapping in dump.linux.mappings()] == ["x"]
    dump = open_minidump(Writer().stream(0x47670009, b"0-1 r-xp 0" + b" " * 3_000_000).build())
    assert dump.linux.mappings() == ()
    assert time.monotonic() - started < MAX_SECONDS
