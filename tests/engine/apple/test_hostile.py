"""Reports that somebody cut, bent or made up: an answer or the one error, within bounded time and memory."""

from __future__ import annotations

import os
import random
import re
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.apple import AppleReport, parse_report, text
from engine.errors import BadReport
from tests.engine.apple.reports import HEADER, ips_report, plcrash_report, text_report

SEEDS = {"text": text_report(), "ips": ips_report(), "plcrash": plcrash_report()}
FLIPS = int(os.environ.get("SYMBOLSVC_APPLE_FLIPS", "400"))
_WORD = re.compile(rb"[0-9a-fA-FxX]+")


def read(data: bytes) -> AppleReport | None:
    try:
        report = parse_report(data)
    except BadReport as error:
        if not error.message.startswith("failed to parse apple crash report"):
            raise
        return None
    for thread in report.threads:
        assert all(0 <= frame.address < 1 << 64 for frame in thread.frames)
        assert all(0 <= value < 1 << 64 for value in thread.registers.values())
    assert all(0 <= image.start < 1 << 64 and 0 <= image.size < 1 << 64 for image in report.images)
    str(report).encode()
    return report


def mutate(seed: bytes, dice: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(dice.choice((1, 1, 2, 5, 30))):
        at = dice.randrange(len(data)) if data else 0
        data = data or bytearray(b"{")
        match dice.randrange(6):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at] = dice.randrange(256)
            case 2:
                del data[at : at + dice.randrange(1, 40)]
            case 3:
                data[at:at] = data[at : at + dice.randrange(1, 200)]
            case 4:
                data[at:at] = dice.choice((b"\xff" * 9, b"\0", b"\n", b"9" * 30, b"[" * 50, b"<", b'"', b"0x"))
            case 5 if dice.random() < 0.2:
                del data[at:]
    return bytes(data)


@pytest.mark.parametrize("kind", sorted(SEEDS))
def test_flipped_bytes_are_an_answer_or_the_one_error(kind):
    dice = random.Random(kind)
    for _ in range(FLIPS):
        read(mutate(SEEDS[kind] or b"x", dice))


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_are_an_answer_or_the_one_error(data):
    read(data)
    read(b"plcrash\x01" + data)
    read(HEADER.encode() + data)


_numbers = st.sampled_from(("0", "1", "0x1", "0xffffffffffffffff", "99999999999", "???", ""))
_lines = st.one_of(
    st.builds("Thread {}{}: {}".format, _numbers, st.sampled_from(("", " Crashed", " name")), st.text(max_size=9)),
    st.builds("{}  {} {} {}".format, _numbers, st.text(max_size=9), _numbers, st.text(max_size=9)),
    st.builds("{} - {} {} <{}> /{}".format, _numbers, _numbers, st.text(max_size=9), _numbers, st.text(max_size=9)),
    st.builds("{}: {}".format, st.text(max_size=9), _numbers),
    st.sampled_from(("Binary Images:", "Application Specific Information:", "Last Exception Backtrace:", "")),
)


@given(st.lists(_lines, max_size=20))
@settings(max_examples=40)
def test_any_lines_are_an_answer_or_the_one_error(lines):
    read(HEADER.encode() + "\n".join(lines).encode("utf-8", "replace"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("frames", "value", "x", "base", "imageIndex", "type")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("threads", "usedImages", "exception", "asi"), _json)))
@settings(max_examples=40)
def test_any_json_is_an_answer_or_the_one_error(fields):
    read(ips_report(**fields))


@pytest.mark.parametrize(
    "data",
    [
        HEADER.encode() + b"Thread 0:\n" + b"0 " + b" " * 2_000_000,
        HEADER.encode() + b"Thread 0:\n" + (b"0 " + b"a 0x" * 4000 + b"\n") * 100,
        HEADER.encode() + b"Binary Images:\n" + (b"0x1 - 0x2 " + b"<" * 16000 + b"\n") * 100,
        HEADER.encode() + b"Thread 0 crashed with X:\n" + (b"a" * 16000 + b"\n") * 100,
        (b" " * 16000 + b":\n") * 200,
        b"Thread 0: Dispatch queue:" * 100_000,
        b"{" * 2_000_000,
        b'{"a":' * 1_000_000,
        b"[" * 2_000_000,
        b'{"threads":[' + b"{}," * 300_000 + b"{}]}",
        b"plcrash\x01" + (b"\x1a\x04\x12\x02\x18\x01" * 100_000),
    ],
    ids=range(11),
)
def test_a_report_made_to_cost_time_costs_little(data):
    began = time.process_time()
    read(data)
    assert time.process_time() - began < 5


def test_frames_cost_little_memory():
    line = b"0   Shop   0x0000000100a40e80 main + 128\n"
    tracemalloc.start()
    try:
        assert read(HEADER.encode() + b"Thread 0:\n" + line * 5_000) is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_500_000


def test_more_frames_than_any_report_has_are_refused(monkeypatch):
    monkeypatch.setattr(text, "MAX_FRAMES", 100)
    line = b"0   Shop   0x0000000100a40e80 main + 128\n"
    assert read(HEADER.encode() + b"Thread 0:\n" + line * 100) is not None
    assert read(HEADER.encode() + b"Thread 0:\n" + line * 101) is None
