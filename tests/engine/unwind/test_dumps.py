"""Recorded dumps: the stacks of all threads against what is known of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import pytest

from engine.minidump import Minidump, open_minidump
from engine.unwind import Ended
from tests.engine.shared_fixtures import shared
from tests.engine.unwind.support import SYSTEM_LIBRARIES, found, names, opened, walk_dump

CAPTURES = (
    "abrt-main-nofp",
    "abrt-worker-fp",
    "fpe-main-dw4",
    "fpe-worker-nofp",
    "segv-worker-dw4",
    "segv-worker-fp",
    "segv-worker-nofp",
)


def dump_of(path: str) -> Minidump:
    return open_minidump(shared(path).read_bytes())


def generated_files() -> dict[str, Path]:
    return {
        path.name: path for path in shared("fixtures/bench").iterdir() if path.suffix == ".so" or path.name == "crasher"
    }


def system_files(dump: Minidump) -> dict[str, Path]:
    """The machine's libraries that the dump was made with; skips the test unless all of them are the same."""
    found_here = {}
    for name, module in zip(names(dump), dump.modules, strict=True):
        path = SYSTEM_LIBRARIES / name
        if name.startswith(("libc.", "libstdc", "libm.", "libgcc")):
            if not path.exists() or opened(path).code_id != module.code_id:
                pytest.skip(f"this machine's {name} is not the one the dump was made with")
            found_here[name] = path
    return found_here


def expected_modules(path: Path) -> dict[int, list[str]]:
    """The module of every physical frame by thread, of Breakpad's machine-readable output."""
    rows: dict[int, list[str]] = {}
    for line in path.read_text().splitlines():
        if row := re.match(r"(\d+)\|\d+\|([^|]*)\|", line):
            rows.setdefault(int(row[1]), []).append(row[2])
    return rows


def test_the_generated_crash_has_breakpads_frames_up_to_the_start_of_the_program() -> None:
    dump = dump_of("fixtures/bench/gen.dmp")
    files = {**generated_files(), **system_files(dump)}
    listed, of_modules = expected_modules(shared("fixtures/bench/expected_stackwalk.machine.txt")), names(dump)
    walks = walk_dump(dump, files)
    assert sum(len(walked.frames) for walked in walks) == 1087
    for number, walked in enumerate(walks):
        ours = [of_modules[frame.module] for frame in walked.frames]
        # What follows `_start` or the start of a thread is Breakpad's invention.
        assert (ours, walked.ended) == (listed[number][: len(ours)], Ended.BOTTOM)
        assert [name for name in listed[number][len(ours) :] if name] == []
        assert {frame.trust.value for frame in walked.frames[1:]} == {"cfi"}


def gdb_stacks(capture: str) -> dict[int, tuple[bool, list[int]]]:
    """Whether it crashed and its physical frames' addresses, by thread: no inlined functions, no tail calls."""
    threads = json.loads(shared(f"fixtures/captures/crash/{capture}/expected_gdb.json").read_text())["threads"]
    return {
        thread["tid"]: (
            thread["crashed"],
            [int(frame["pc"], 16) for frame in thread["frames"] if "pc" in frame and frame["kind"] in (0, 4)],
        )
        for thread in threads
    }


def captured(capture: str) -> tuple[Minidump, dict[str, Path]]:
    """A dump, and the files of the program that crashed."""
    dump = dump_of(f"fixtures/captures/crash/{capture}/{capture}.dmp")
    build = shared(f"fixtures/captures/crash/{capture}/build").read_text().strip()
    builds = shared(f"fixtures/captures/crash/builds/{build}")
    return dump, {"crashy": builds / "crashy.gz", "libledger.so": builds / "libledger.so"}


@pytest.mark.parametrize("capture", CAPTURES)
def test_all_threads_of_a_captured_crash_have_gdbs_frames(capture: str) -> None:
    """gdb stops at `main`; below it lie what called it and the bottom of the stack."""
    dump, files = captured(capture)
    expected = gdb_stacks(capture)
    for thread, walked in zip(dump.threads, walk_dump(dump, {**files, **system_files(dump)}), strict=True):
        frames = expected[thread.id][1]
        assert [frame.address for frame in walked.frames[: len(frames)]] == frames
        assert len(walked.frames) in (len(frames), len(frames) + 3)
        assert walked.ended == Ended.BOTTOM


@pytest.mark.parametrize("capture", CAPTURES)
def test_the_programs_own_frames_of_the_crashing_thread_are_gdbs_without_system_libraries(capture: str) -> None:
    dump, files = captured(capture)
    own = {at for at, name in enumerate(names(dump)) if name in files}
    for thread, walked in zip(dump.threads, walk_dump(dump, files), strict=True):
        crashed, frames = gdb_stacks(capture)[thread.id]
        if crashed:
            addresses = [frame.address for frame in walked.frames]
            of_modules = {frame.address: frame.module for frame in walked.frames}
            inside = [address for address in frames if of_modules.get(address) in own]
            first = addresses.index(inside[0])
            assert addresses[first : first + len(inside)] == inside
            assert set(frames) <= set(addresses), "frames of system libraries are found by scanning"


PEERS = "fixtures/peers"
LINUX = (
    "401d72 7f514025002e 7f51401e4800 7f5140cebac6 401ec0 414c30 7f514017d830 401c70 401dc0 401c70 414ca0 401dc0 "
    "401de9 400040 401dc0"
)
CRASH_LINUX = (
    "40206d 40207a 402144 7fa9d1c73800 402006 421330 7fa9d1c0c830 40207c 401f10 4213a0 7fa9d277bab0 7fa9d277b7cb "
    "401f10 401f39 400040 401f10"
)
CRASH_MACOS = "10215d3a1 10215d386 10215d278 102182a90 102182a90 102182a90 10215d310 7fff8e739235 7fff8e739235"
CRASHPAD = "7fff6f41333a 7fff6f39a808 10dfebf8b 7fff6f2cbcc9 7fff6f2cbcc9"
TEST_APP = "40429e 404200 4053ec 7c816fd7"
PIPELINE = "102a68cd4 102a5823e 102a5a046 102a59c0c 102ad73ee 102a58419 7fff20329f3d 7fff20329f3d"


def first_stack(path: str, files: Mapping[str, str]) -> tuple[list[int], str]:
    """Addresses of the first thread's frames, and how they were found, in runs."""
    listed = found(
        walk_dump(dump_of(f"{PEERS}/{path}"), {name: shared(f"{PEERS}/{at}") for name, at in files.items()})[0]
    )
    return [address for address, _ in listed], " ".join(
        f"{key} {len(list(run))}" for key, run in groupby(t for _, t in listed)
    )


@pytest.mark.parametrize(
    ("path", "addresses", "trusts"),
    [
        ("rust-minidump/linux-mini.dmp", LINUX, "context 1 scan 14"),
        ("symbolic/minidump/crash_linux.dmp", CRASH_LINUX, "context 1 scan 15"),
        ("symbolic/minidump/crash_macos.dmp", CRASH_MACOS, "context 1 scan 8"),
        ("rust-minidump/simple-crashpad.dmp", CRASHPAD, "context 1 fp 3 scan 1"),
        ("rust-minidump/test.dmp", TEST_APP, "context 1 fp 3"),
        ("rust-minidump/pipeline-inlines-macos-segv.dmp", PIPELINE, "context 1 fp 6 scan 1"),
    ],
)
def test_without_symbols_stacks_are_those_of_breakpads_walker(path: str, addresses: str, trusts: str) -> None:
    assert first_stack(path, {}) == ([int(address, 16) for address in addresses.split()], trusts)


TEST_APP_SYM = "rust-minidump/symbols/test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/test_app.sym"
CLIENT_SYM = "rust-minidump/symbols/crash-client/509C0610949836F7B70BD88BCF03E5400/crash-client.sym"


@pytest.mark.parametrize(
    ("path", "files", "addresses", "trusts"),
    [
        ("rust-minidump/test.dmp", {"test_app.exe": TEST_APP_SYM}, TEST_APP, "context 1 cfi 3"),
        (
            "rust-minidump/pipeline-inlines-macos-segv.dmp",
            {"crash-client": CLIENT_SYM},
            PIPELINE,
            "context 1 cfi 6 scan 1",
        ),
        (
            "symbolic/minidump/crash_macos.dmp",
            {"crash_macos": "symbolic/minidump/crash_macos"},
            "10215d3a1 10215d386 10215d278 7fff8e739235 7fff8e739235",
            "context 1 cfi 3 scan 1",
        ),
        (
            # Below what is sure, scanning goes on to the start of the program and no further.
            "symbolic/minidump/crash_linux.dmp",
            {"crash_linux": "symbolic/minidump/crash_linux"},
            "40206d 40207a 402144 7fa9d1c0c830 40207c 401f10 7fa9d277bab0 7fa9d277b7cb 401f10 401f39",
            "context 1 cfi 3 scan 6",
        ),
    ],
)
def test_with_the_programs_symbols_its_frames_are_sure(
    path: str, files: dict[str, str], addresses: str, trusts: str
) -> None:
    assert first_stack(path, files) == ([int(address, 16) for address in addresses.split()], trusts)


def test_all_threads_of_a_macos_program_are_walked_by_their_frame_pointers() -> None:
    walks = walk_dump(dump_of(f"{PEERS}/rust-minidump/pipeline-inlines-macos-segv.dmp"), {})
    assert [len(walked.frames) for walked in walks] == [8] * 11


def test_no_frame_of_64_bit_windows_lies_on_a_stack() -> None:
    """A frame register that is none leads to words of the stack; a debugger would show no such frame."""
    dump = dump_of(f"{PEERS}/rust-minidump/invalid-parameter.dmp")
    walks = walk_dump(dump, {})
    stacks = [dump.start(thread).stack for thread in dump.threads]
    assert [len(walked.frames) for walked in walks] == [11, 62, 2, 3, 3, 2]
    assert not [frame for walked in walks for frame in walked.frames for stack in stacks if frame.address in stack]
    assert all(frame.module is not None for walked in walks for frame in walked.frames)
