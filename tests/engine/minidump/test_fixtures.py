"""Dumps of real crashes, from several writers: what a reader must find in them."""

from __future__ import annotations

import json
import zlib
from pathlib import Path, PureWindowsPath

import pytest

from engine.minidump import BadMinidump, Minidump, Os, Start, open_minidump
from tests.engine.minidump.everything import ask_everything
from tests.engine.shared_fixtures import shared

FIXTURES = Path(__file__).parents[2] / "fixtures"
RUST, SYMBOLIC, CAPTURES = "fixtures/peers/rust-minidump/", "fixtures/peers/symbolic/", "fixtures/captures/crash/"
# File: system, version, build, cpu; modules, threads, regions; crash reason; pc, sp and size of the stack of the thread
# that crashed; code id, debug id and the name of the debug file of the first module.
KNOWN = {
    "fixtures/bench/gen.dmp": (
        ("Linux", "6.1.0", "Linux 6.1 x86_64", "x86_64"),
        (36, 20, 20),
        "SIGSEGV / 0x0",
        (0x555555556245, 0x7FFFFFFFA890, 18288),
        (
            "225a5a9c80629d49fab0036e0a29d17ee626578f",
            "9c5a5a22-6280-499d-fab0-036e0a29d17e",
            "crasher",
        ),
    ),
    RUST + "linux-mini.dmp": (
        ("Linux", "4.9.60-linuxkit-aufs", "#1 SMP Mon Nov 6 16:00:12 UTC 2017", "x86_64"),
        (8, 1, 2),
        "SIGSEGV / 0x45",
        (0x401D72, 0x7FFF5AE4AA20, 12288),
        ("f1c3bcc0279865fe3058404b2831d9e64135386c", "c0bcc3f1-9827-fe65-3058-404b2831d9e6", "crash"),
    ),
    RUST + "invalid-parameter.dmp": (
        ("Windows", "10.0.17134", "", "x86_64"),
        (31, 6, 10),
        "STATUS_INVALID_PARAMETER / 0x0",
        (0x7FF61BCFA9A3, 0xFC218FEA60, 5768),
        ("5ba523af191000", "368a7c3a-63a6-44d9-bf65-9b2f4799a1c2-3", "CrashTest.pdb"),
    ),
    RUST + "test.dmp": (
        ("Windows", "5.1.2600", "Service Pack 2", "x86"),
        (13, 2, 3),
        "EXCEPTION_ACCESS_VIOLATION_WRITE / 0x45",
        (0x40429E, 0x12FE84, 3300),
        ("45d35f6c2d000", "5a9832e5-2872-41c1-838e-d98914e9b7ff-1", "test_app.pdb"),
    ),
    RUST + "pipeline-inlines-macos-segv.dmp": (
        ("macOS", "11.6.7", "20G630", "x86_64"),
        (47, 11, 12),
        "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS / 0xffffffff80000042",
        (0x102A68CD4, 0x7FFEED1AA9B0, 5712),
        ("509c0610949836f7b70bd88bcf03e540", "509c0610-9498-36f7-b70b-d88bcf03e540", "crash-client"),
    ),
    RUST + "simple-crashpad.dmp": (
        ("macOS", "10.15.7", "19H114", "x86_64"),
        (40, 1, 1),
        "EXC_CRASH / SIGABRT / 0x7fff6f41333a",
        (0x7FFF6F41333A, 0x7FFEE1C16BF8, 5392),
        ("ef1091e381da369b9039ea1591d07e0b", "ef1091e3-81da-369b-9039-ea1591d07e0b", "crashy"),
    ),
    SYMBOLIC + "minidump/crash_linux.dmp": (
        ("Linux", "4.9.46-moby", "#1 SMP Thu Sep 7 02:53:42 UTC 2017", "x86_64"),
        (8, 1, 2),
        "SIGSEGV / 0x0",
        (0x40206D, 0x7FFEA5979B20, 12288),
        (
            "db4c55d26192c436b9766a086583b9b5a6d2e271",
            "d2554cdb-9261-36c4-b976-6a086583b9b5",
            "crash_linux",
        ),
    ),
    SYMBOLIC + "minidump/crash_macos.dmp": (
        ("macOS", "10.12.6", "16G29", "x86_64"),
        (43, 1, 2),
        "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS / 0x45",
        (0x10215D3A1, 0x7FFF5DAA35F8, 2568),
        ("3f58bc3deabe3361b5fb52a676298598", "3f58bc3d-eabe-3361-b5fb-52a676298598", "crash_macos"),
    ),
}
# Which of the captured crashes: why, and where its thread stood.
CAPTURED = {
    "abrt-main-nofp": "SIGABRT / SI_TKILL",
    "abrt-worker-fp": "SIGABRT / SI_TKILL",
    "fpe-main-dw4": "SIGFPE / FPE_INTDIV",
    "fpe-worker-nofp": "SIGFPE / FPE_INTDIV",
    "segv-worker-dw4": "SIGSEGV / SEGV_MAPERR",
    "segv-worker-fp": "SIGSEGV / SEGV_MAPERR",
    "segv-worker-nofp": "SIGSEGV / SEGV_MAPERR",
}


def read(path: str) -> Minidump:
    return ask_everything(shared(path).read_bytes())


def crash(dump: Minidump) -> Start:
    """Where the thread that crashed stood."""
    (thread,) = [thread for thread in dump.threads if thread.id == dump.requesting_thread]
    return dump.start(thread)


@pytest.mark.parametrize("path", KNOWN)
def test_dumps_of_other_projects_say_what_is_known_of_them(path: str):
    dump = read(path)
    system, counts, reason, (pc, sp, size), ids = KNOWN[path]
    assert (dump.system.os_name, dump.system.version, dump.system.build, dump.system.cpu) == system
    assert (len(dump.modules), len(dump.threads), len(dump.memory)) == counts
    assert dump.crash_reason == reason
    start = crash(dump)
    assert start.registers is not None
    assert start.stack is not None
    assert (start.registers.pc, start.registers.sp, len(start.stack.data)) == (pc, sp, size)
    first = dump.modules[0]
    assert first.debug_file is not None
    assert (first.code_id, str(first.debug_id), PureWindowsPath(first.debug_file).name) == ids
    assert dump.damaged == ()


@pytest.mark.parametrize("name", CAPTURED)
def test_captured_crashes_agree_with_what_gdb_saw(name: str):
    dump = read(f"{CAPTURES}{name}/{name}.dmp")
    gdb = json.loads(shared(f"{CAPTURES}{name}/expected_gdb.json").read_text())
    assert dump.crash_reason.rpartition(" / ")[0] == CAPTURED[name]
    theirs = {thread["tid"]: thread for thread in gdb["threads"]}
    assert {thread.id for thread in dump.threads} == set(theirs)
    assert [tid for tid, thread in theirs.items() if thread["crashed"]] == [dump.requesting_thread]
    start = crash(dump)
    assert start.registers is not None
    assert hex(start.registers.pc) == theirs[dump.requesting_thread]["frames"][0]["pc"]
    assert {module["base"] for module in gdb["modules"].values()} <= {hex(module.base) for module in dump.modules}
    assert dump.damaged == ()


@pytest.mark.parametrize("name", ["invalid-range.dmp", "invalid-record-count.dmp"])
def test_dumps_without_the_streams_that_are_needed_are_refused_for_it(name: str):
    with pytest.raises(BadMinidump, match=r"\AThe system information stream was not found\Z"):
        open_minidump(shared(RUST + name).read_bytes())


def test_an_unreal_crash_holds_a_dump_that_reads():
    packed = zlib.decompress(shared(SYMBOLIC + "unreal/unreal_crash").read_bytes())
    dump = ask_everything(packed[packed.index(b"MDMP") :])
    assert (dump.system.os, dump.system.version, len(dump.threads), len(dump.modules)) == (
        Os.WINDOWS,
        "10.0.17134",
        59,
        128,
    )
    # The engine raises its own exception with this code to have the dump written.
    assert dump.crash_reason == "ERROR_INVALID_FUNCTION / 0x7ffb27e2a388"
    assert dump.damaged == ()


def test_the_streams_of_crashpad_are_read_from_a_real_report():
    crashpad = read(RUST + "simple-crashpad.dmp").crashpad
    assert crashpad is not None
    assert (str(crashpad.report_id), crashpad.annotations) == (
        "42f9de72-518a-43dd-97d7-8ddc328d3662",
        {"hello": "world"},
    )
    assert {index: module.lines for index, module in crashpad.modules.items()} == {
        16: ("abort() called",),
        39: ("dyld2 mode",),
    }


def test_the_streams_of_linux_are_read_from_a_real_crash():
    linux = read(f"{CAPTURES}segv-worker-nofp/segv-worker-nofp.dmp").linux
    assert linux is not None
    assert linux.arguments() == ("../../nofp/crashy", ".", "segv", "worker")
    assert linux.status_fields()["Name"] == "crasher"
    assert len(linux.processors()) == 2
    mapped = {mapping.path for mapping in linux.mappings() if "x" in mapping.permissions}
    assert "/srv/build/crashlab/crash/nofp/libledger.so" in mapped
    assert [library.path for library in linux.libraries][1:3] == [
        "linux-vdso.so.1",
        "/srv/build/crashlab/crash/nofp/libledger.so",
    ]
    # AT_SYSINFO_EHDR is where the vDSO lies.
    assert dict(linux.auxiliary)[33] == linux.libraries[1].offset


def test_assertions_names_and_process_ids_are_read_from_real_crashes():
    windows = read(RUST + "invalid-parameter.dmp")
    assert windows.assertion == (
        "invalid parameter format != nullptr in common_vfprintf"
        r" at minkernel\crts\ucrt\src\appcrt\stdio\output.cpp:32"
    )
    assert (windows.misc and windows.misc.process_id, windows.dump_thread, windows.requesting_thread) == (
        6256,
        4944,
        5896,
    )
    assert read(RUST + "pipeline-inlines-macos-segv.dmp").threads[0].name == "main"
