"""Side by side with Breakpad's stack walker, where it is at hand: `python3 bench/breakpad.py` fetches it.

SYMBOLSVC_BREAKPAD_DIR names another directory that has it.
"""

from __future__ import annotations

import lzma
import re
import subprocess
from pathlib import Path

import pytest

from bench.breakpad import STACK_WALKER, directory
from engine.minidump import open_minidump
from tests.engine.shared_fixtures import shared
from tests.engine.unwind.support import found, walk_dump
from tests.needed import lacking

ROOT = Path(__file__).parents[3]
# Not those of ARM64: Breakpad takes the link register for the first caller, even where it was left behind by a call.
KEPT = (
    ROOT / "bench/gen.dmp.xz",
    *sorted(ROOT.glob("tests/fixtures/crash/*.dmp.xz")),
    *sorted(ROOT.glob("tests/fixtures/arm/armhf*/*.dmp.xz")),
    *sorted(ROOT.glob("tests/fixtures/arm/amd64*/*.dmp.xz")),
)
PEERS = (
    "rust-minidump/linux-mini.dmp",
    "rust-minidump/pipeline-inlines-macos-segv.dmp",
    "rust-minidump/simple-crashpad.dmp",
    "rust-minidump/test.dmp",
    "symbolic/minidump/crash_linux.dmp",
    "symbolic/minidump/crash_macos.dmp",
)


def stackwalk() -> Path:
    program = directory() / STACK_WALKER
    return (
        program if program.exists() else lacking("needs Breakpad's stack walker: python3 bench/breakpad.py fetches it")
    )


def judged(path: Path, *symbols: Path) -> dict[int, list[int]]:
    """Addresses of the frames of every thread, by its number in the dump; those of inlined functions left out."""
    printed = subprocess.run(
        [stackwalk(), path, *symbols], capture_output=True, text=True, timeout=60, errors="replace"
    ).stdout.partition("Loaded modules")[0]
    return {
        int(number): [int(pc, 16) for pc, found_by in re.findall(FRAME, text) if "inline" not in found_by]
        for number, text in re.findall(r"^Thread (\d+)(.*?)(?=^Thread |\Z)", printed, re.MULTILINE | re.DOTALL)
    }


FRAME = r"\b(?:[re]ip|pc) = 0x([0-9a-f]+)(?:(?!Found by).|\n)*?Found by: (.*)"


def assert_frames_are_breakpads(path: Path) -> None:
    expected = judged(path)
    ours = walk_dump(open_minidump(path.read_bytes()), {})
    assert expected
    for number, addresses in expected.items():
        assert [frame.address for frame in ours[number].frames] == addresses


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_frames_of_our_dumps_without_symbols_are_breakpads(path: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.write_bytes(lzma.decompress(path.read_bytes()))
    assert_frames_are_breakpads(dump)


@pytest.mark.parametrize("dump", PEERS)
def test_the_frames_of_others_dumps_without_symbols_are_breakpads(dump: str) -> None:
    assert_frames_are_breakpads(shared(f"fixtures/peers/{dump}"))


def test_the_frames_of_frame_data_are_breakpads() -> None:
    base = shared("fixtures/peers/rust-minidump")
    symbols = next(base.rglob("test_app.sym"))
    walked = walk_dump(open_minidump((base / "test.dmp").read_bytes()), {"test_app.exe": symbols})[0]
    assert [frame.address for frame in walked.frames] == judged(base / "test.dmp", base / "symbols")[0]


@pytest.mark.parametrize("capture", ["segv-worker-nofp", "fpe-worker-nofp", "abrt-main-nofp"])
def test_the_frames_with_the_programs_symbols_are_among_breakpads(capture: str) -> None:
    """Breakpad's scan takes words for return addresses at which its symbols have nothing."""
    base = shared("fixtures/captures/crash")
    path = base / capture / f"{capture}.dmp"
    builds = base / "builds" / (base / capture / "build").read_text().strip()
    files = {"crashy": builds / "crashy.gz", "libledger.so": builds / "libledger.so"}
    expected = judged(path, base / "symbols_npm026")
    for number, walked in enumerate(walk_dump(open_minidump(path.read_bytes()), files)):
        theirs = iter(expected[number])
        assert all(frame.address in theirs for frame in walked.frames)


def test_threads_of_64_bit_windows_without_symbols() -> None:
    """All but the thread that crashed have Breakpad's frames, which leaves out the thread that wrote the dump.

    The code of that thread has no rules, and its frame register points below where the caller's was saved. Breakpad
    does not follow it on Windows and scans into the middle of functions; we do, as long as it leads to code.
    """
    path = shared("fixtures/peers/rust-minidump/invalid-parameter.dmp")
    dump = open_minidump(path.read_bytes())
    ours = [
        found(walked)
        for thread, walked in zip(dump.threads, walk_dump(dump, {}), strict=True)
        if thread.id != dump.dump_thread
    ]
    theirs = judged(path)
    assert [[address for address, _ in stack] for stack in ours[1:]] == [theirs[number] for number in range(1, 5)]
    assert ours[0][:5] == [
        (0x7FF61BCFA9A3, "context"),
        (0x7FF61BCF4589, "fp"),
        (0x7FF61BDFA0C8, "scan"),
        (0x7FF61BCF2ED5, "scan"),
        (0x7FF61BCF40D4, "fp"),
    ]
