"""Dumps of others, of three systems, with their symbols: what becomes of stacks and modules."""

from __future__ import annotations

import pytest

from tests.engine.run.reports import ANSWER_ALL, ask_dump, directory_source, put, put_breakpad, put_elf
from tests.engine.shared_fixtures import shared


@pytest.fixture(scope="session")
def symbols(tmp_path_factory):
    peers, own = shared("fixtures/peers/symbolic"), shared("fixtures/peers/rust-minidump/symbols")
    directory = tmp_path_factory.mktemp("peers")
    put_elf(directory, (peers / "minidump/crash_linux").read_bytes())
    put_elf(directory, (peers / "linux/crash").read_bytes())
    put(directory, "f1/c3bcc0279865fe3058404b2831d9e64135386c.debug", (peers / "linux/crash.debug").read_bytes())
    macos, place = peers / "minidump", "3F58/BC3D/EABE/3361/B5FB/52A676298598"
    put(directory, f"{place}.app", (macos / "crash_macos").read_bytes())
    put(directory, place, (macos / "crash_macos.dSYM/Contents/Resources/DWARF/crash_macos").read_bytes())
    for path in own.rglob("*.sym"):
        put_breakpad(directory, path.read_bytes())
    return directory_source(directory)


def frames(answer, thread=0):
    return [
        f"{frame['original_index']} {frame['trust']} {frame['status']} {frame.get('function', '-')}"
        for frame in answer["stacktraces"][thread]["frames"]
    ]


def used(answer):
    """Statuses and features of the modules that were of any use, by their file's name."""
    return {
        module["code_file"].replace("\\", "/").rpartition("/")[2]: (
            module["debug_status"],
            module["unwind_status"],
            "".join(name[4] for name, has in module["features"].items() if has),
        )
        for module in answer["modules"]
        if (module["debug_status"], module["unwind_status"]) != ("unused", "unused")
    }


def tried(answer, name):
    """How the files of a module were used, by the end of their location."""
    module = next(module for module in answer["modules"] if module["code_file"].endswith(name))
    return {
        row["location"].rpartition("/")[2]: (row.get("unwind", {}).get("status"), row.get("debug", {}).get("status"))
        for row in module["candidates"]
        if row["download"]["status"] == "ok"
    }


def ask_shared(engine, symbols, name):
    return ask_dump(engine, shared(f"fixtures/peers/{name}"), [symbols], options=ANSWER_ALL, explain=True)


def test_a_linux_dump_with_a_stripped_program_and_its_debug_file(engine, symbols):
    answer = ask_shared(engine, symbols, "rust-minidump/linux-mini.dmp")
    assert answer["crash_reason"] == "SIGSEGV / 0x45"
    assert frames(answer) == [
        "0 context symbolicated crash",
        "0 context symbolicated start",
        "0 context symbolicated main",
        "1 cfi missing -",
        "2 scan symbolicated _start",
    ]
    assert used(answer) == {"crash": ("found", "found", "dus"), "libc-2.23.so": ("missing", "missing", "")}
    build_id = "c3bcc0279865fe3058404b2831d9e64135386c"
    assert tried(answer, "/crash") == {build_id: ("ok", None), f"{build_id}.debug": (None, "ok")}


def test_a_linux_dump_whose_waiting_part_is_guessed(engine, symbols):
    answer = ask_shared(engine, symbols, "symbolic/minidump/crash_linux.dmp")
    assert frames(answer)[:4] == [
        "0 context symbolicated (anonymous namespace)::crash()",
        "1 cfi symbolicated (anonymous namespace)::start()",
        "2 cfi symbolicated main",
        "3 cfi missing -",
    ]
    assert all(frame.split()[1] == "scan" for frame in frames(answer)[4:])
    diagnosis = answer["stacktraces"][0]["diagnosis"]
    assert (diagnosis["guessed_from"], diagnosis["file"]) == (4, "libc-2.23.so")
    assert used(answer)["crash_linux"] == ("found", "found", "dus")
    assert tried(answer, "/crash_linux") == {"4c55d26192c436b9766a086583b9b5a6d2e271": ("ok", "ok")}


def test_a_macos_dump_with_a_program_and_its_dsym(engine, symbols):
    answer = ask_shared(engine, symbols, "symbolic/minidump/crash_macos.dmp")
    assert answer["crash_reason"] == "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS / 0x45"
    assert frames(answer) == [
        "0 context symbolicated (anonymous namespace)::crash()",
        "1 cfi symbolicated (anonymous namespace)::start()",
        "2 cfi symbolicated main",
        "3 cfi missing -",
        "4 scan missing -",
    ]
    assert used(answer) == {"crash_macos": ("found", "found", "dus"), "libdyld.dylib": ("missing", "missing", "")}
    assert tried(answer, "/crash_macos") == {"52A676298598": (None, "ok"), "52A676298598.app": ("ok", None)}


def test_a_macos_dump_of_a_rust_program_with_inlined_functions(engine, symbols):
    answer = ask_shared(engine, symbols, "rust-minidump/pipeline-inlines-macos-segv.dmp")
    assert len(answer["stacktraces"]) == 11
    assert [frame.split()[0] for frame in frames(answer)] == list("00111223" + "4" * 9 + "567")
    assert frames(answer)[0] == "0 context symbolicated core::ptr::write_volatile::<u8>"
    assert frames(answer)[-3:] == ["5 cfi symbolicated main", "6 cfi missing -", "7 scan missing -"]
    assert used(answer)["crash-client"] == ("found", "found", "dus")
    assert tried(answer, "/crash-client") == {"crash-client.sym": ("ok", "ok")}


def test_a_windows_dump_of_x86_with_frame_data(engine, symbols):
    answer = ask_shared(engine, symbols, "rust-minidump/test.dmp")
    assert answer["crash_reason"] == "EXCEPTION_ACCESS_VIOLATION_WRITE / 0x45"
    assert frames(answer) == [
        "0 context symbolicated `anonymous namespace'::CrashFunction",
        "1 cfi symbolicated main",
        "2 cfi symbolicated __tmainCRTStartup",
        "3 cfi missing -",
    ]
    assert answer["stacktraces"][1]["frames"] == []
    assert answer["stacktraces"][0]["diagnosis"] == {
        "cut_after": 3,
        "module": 11,
        "file": "kernel32.dll",
        "text": "No caller of frame 3 was found: no unwind information for kernel32.dll was found. "
        "A source that has kernel32.pdb (bce8785c-57b4-4245-a669-896b6a19b954-2) would mend that.",
    }
    assert used(answer) == {"test_app.exe": ("found", "found", "dus"), "kernel32.dll": ("missing", "missing", "")}


def test_crashpads_annotations_are_shown_where_explanations_are(engine):
    answer = ask_shared(engine, directory_source(shared("fixtures/peers")), "rust-minidump/simple-crashpad.dmp")
    said = answer["dump"]
    assert said["report_id"] == "42f9de72-518a-43dd-97d7-8ddc328d3662"
    assert said["client_id"] == "6fd2b3b9-9833-4b2f-bbf7-0bcf501bad7e"
    assert said["annotations"] == {"hello": "world"}
    annotated = {
        answer["modules"][entry["module"]]["code_file"]: entry["messages"] for entry in said["module_annotations"]
    }
    assert annotated == {"/usr/lib/system/libsystem_c.dylib": ["abort() called"], "/usr/lib/dyld": ["dyld2 mode"]}
    assert list(answer)[-1] == "dump"
