"""The command as a whole: what it prints, and its exit status."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from engine.lookup.diagnosis import Asked
from symbolsvc.shell.asking import Stored
from tests.engine.apple.reports import ips_report, plcrash_report, text_report
from tests.engine.run.serving import BASE, INLINED, NOTHING, PLAIN, read_image, stack
from tests.engine.webserver import reply, web_server
from tests.shell.conftest import BUILDS, DUMP, ROOT, SYMBOLS

LEDGER = BUILDS / "nofp/libledger.so"


@pytest.fixture
def request_file(tmp_path):
    """A JSON request about the small library."""

    def write(*offsets, **fields):
        image = read_image(LEDGER.read_bytes(), "libledger.so", type="elf")
        file = tmp_path / "request.json"
        file.write_text(json.dumps({"stacktraces": [stack(*offsets)], "modules": [image.module(BASE)]} | fields))
        return file

    return write


def test_a_minidump_is_shown_with_the_crashed_thread_first(symbolicate):
    said = symbolicate(DUMP, "--source", SYMBOLS)
    lines = said.out.splitlines()
    assert "minidump: Linux" in lines[0]
    assert lines[2] == "SIGSEGV / SEGV_MAPERR / 0x10"
    assert lines[4] == "Thread 31818 crashed"
    assert lines[5] == "    0  context  inl_touch (inlined)  ledger.cpp:15  [libledger.so]"
    assert "    8  cfi      shop::serve_request(ledger::Book const&, int)  main.cpp:29  [crashy]" in lines
    assert lines.index("Thread 31814") > lines.index("Thread 31818 crashed")


def test_what_lacks_is_named_with_what_to_do(symbolicate):
    said = symbolicate(DUMP, "--source", SYMBOLS)
    assert said.status == 1
    assert "libc.so.6 + 0x" in said.out
    assert f"why: no file in {SYMBOLS} has the id of libc.so.6." in said.out
    assert "of exactly this build there; its name and place do not matter." in said.out
    assert "on this stack is guessed: no unwind information for libstdc++.so.6 was found" in said.out


def test_without_sources_the_remedy_is_to_name_one(symbolicate):
    said = symbolicate(DUMP)
    assert said.status == 1
    assert "what to do: name a directory or a symbol server with --source." in said.out


def test_a_file_of_another_build_is_pointed_out(symbolicate):
    said = symbolicate(DUMP, "--source", BUILDS / "fp")
    assert f"{BUILDS}/fp/libledger.so is called like it, but has another id: " in said.out


def test_a_request_whose_frames_all_have_names_is_a_success(symbolicate, request_file):
    said = symbolicate(request_file(PLAIN, INLINED), "--source", LEDGER)
    assert (said.status, said.err) == (0, "")
    assert "(inlined)" in said.out
    assert "Modules without names" not in said.out


def test_a_frame_without_a_name_makes_it_none(symbolicate, request_file):
    said = symbolicate(request_file(PLAIN, NOTHING), "--source", LEDGER)
    assert said.status == 1
    assert "libledger.so + 0x10  (missing symbol)" in said.out


def test_the_answer_can_be_had_as_json(symbolicate):
    said = symbolicate(DUMP, "--source", SYMBOLS, "--json")
    answer = json.loads(said.out)
    assert (said.status, answer["status"]) == (1, "completed")
    assert answer["modules"][0]["debug_status"] == "found"


@pytest.mark.parametrize(
    ("report", "first"),
    [
        (text_report, "EXC_CRASH (SIGABRT)"),
        (ips_report, "EXC_CRASH (SIGABRT)"),
        (plcrash_report, "EXC_CRASH (SIGABRT)"),
    ],
    ids=["crash", "ips", "plcrash"],
)
def test_reports_of_apple_are_shown_with_the_exception_behind_the_crashed_thread(symbolicate, tmp_path, report, first):
    file = tmp_path / "report"
    file.write_bytes(report())
    said = symbolicate(file)
    lines = said.out.splitlines()
    assert said.status == 1
    assert "Apple crash report: iOS 17.4 21E219 arm64 iPhone15,2" in lines[0]
    assert lines[2] == first
    titles = [line for line in lines if line.startswith(("Thread", "Where"))]
    assert titles[:3][:2] == ["Thread 0 crashed", "Where the exception was thrown"]
    assert titles[2].startswith("Thread 1")


def test_a_symbol_server_is_asked_by_the_layout_that_is_named(symbolicate, request_file):
    data = LEDGER.read_bytes()
    image = read_image(data, "libledger.so", type="elf")
    with web_server() as server:
        server.routes[f"/{image.code_id}/debuginfo"] = reply(body=data)
        said = symbolicate(request_file(PLAIN), "--source", server.url, "--layout", "debuginfod", "--fresh")
    assert said.status == 0
    assert {path.rpartition("/")[2] for path in server.paths} <= {"executable", "debuginfo"}


def test_what_a_symbol_server_was_asked_for_is_listed(symbolicate, request_file):
    with web_server() as server:
        said = symbolicate(request_file(PLAIN), "--source", server.url, "--fresh")
    assert said.status == 1
    assert f"{server.url} (native): 39/88be7f44385cce25e399210deb9a5f57be012e: not found" in said.out
    assert f"{server.url} (symstore): " in said.out
    assert "--fresh asks again" in said.out


def test_the_sources_of_a_project_are_asked_too(symbolicate, request_file):
    named = []

    def open_project(reference):
        named.append(reference)
        return Stored((), (Asked("builds", "Build server", None),), ())

    said = symbolicate(request_file(PLAIN), "--project", "acme/app", open_project=open_project)
    assert named == ["acme/app"]
    assert said.status == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MDMP",
        b"MDMP" + b"\0" * 100,
        b"hello",
        b'{"stacktraces": 1}',
        b'{"stacktraces": [{"frames": [{"instruction_addr": "x"}]}]}',
        b'{"bug_type":"298"}\n{"processes":[]}',
        b"\xff\xd8" * 50,
    ],
    ids=["empty", "cut", "dump", "text", "schema", "address", "jetsam", "image"],
)
def test_what_cannot_be_read_has_a_status_of_its_own(symbolicate, tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    said = symbolicate(file)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"{file}: ")


def test_a_file_that_is_not_there_cannot_be_read(symbolicate, tmp_path):
    assert symbolicate(tmp_path / "nothing").status == 2


@pytest.mark.parametrize(
    "words",
    [
        (),
        (DUMP, "--source", "/does/not/exist"),
        (DUMP, "--source", "http://"),
        (DUMP, "--layout", "nonsense"),
        (DUMP, "--timeout", "0"),
        (DUMP, "--timeout", "soon"),
        (DUMP, "--project", "acme/app"),
        (DUMP, "--unknown"),
    ],
    ids=range(8),
)
def test_a_wrong_command_line_has_a_status_of_its_own(symbolicate, words):
    said = symbolicate(*words)
    assert (said.status, said.out) == (3, "")
    assert said.err


def test_it_gives_up_when_the_time_is_over(symbolicate):
    said = symbolicate(DUMP, "--source", SYMBOLS, "--timeout", "0.000001")
    assert (said.status, said.err) == (1, "not done within 1e-06 s\n")


def test_names_from_a_crash_file_do_not_steer_the_terminal(symbolicate, tmp_path):
    file = tmp_path / "report"
    file.write_bytes(text_report().replace(b"EXC_CRASH", b"\x1b[2J"))
    assert "\x1b" not in symbolicate(file).out


@pytest.mark.e2e
def test_the_program_needs_no_database_and_leaves_no_process(tmp_path, request_file):
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "SECRET_KEY")}
    environment |= {"SYMBOLSVC_DATA_DIR": str(tmp_path / "data"), "CACHE_DIR": str(tmp_path / "cache")}
    words = [sys.executable, str(ROOT / "manage.py"), "symbolicate", str(request_file(PLAIN)), "--source", str(LEDGER)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ledger" in done.stdout
    assert not (tmp_path / "data").exists()
    assert not converters_of(tmp_path / "cache")


def converters_of(cache):
    """Processes that serve a converter for this cache directory."""
    name = hashlib.sha256(str(cache).encode()).hexdigest()[:16]
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(process.read_bytes())
    return [line for line in lines if f"{name}.sock".encode() in line]
