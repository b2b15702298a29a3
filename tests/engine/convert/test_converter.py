"""The converter: what it answers, what it survives, and when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from symbolic import SymCache

from engine.convert.client import Converter
from engine.convert.wire import Broken, Inspected, decode_reply
from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline
from tests.engine.shared_fixtures import shared

ROOT = Path(__file__).parents[3]
LIBRARY = "fixtures/captures/crash/builds/fp/libledger.so"


def start_server(path, *options):
    process = subprocess.Popen(
        [sys.executable, "-m", "engine.convert.server", "--socket", str(path), *options], cwd=ROOT
    )
    until = time.monotonic() + 20
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


@pytest.fixture
def server(tmp_path):
    process = start_server(tmp_path / "c.sock")
    yield process, tmp_path / "c.sock"
    process.kill()
    process.wait()


def soon() -> Deadline:
    return Deadline.after(30)


def wait_until(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_library_is_looked_into_and_converted(converter, tmp_path):
    library = shared(LIBRARY)
    out = tmp_path / "out"
    out.touch()

    inspected = converter.inspect(library, soon())
    converter.make_symcache(library, 0, out, soon())

    [facts] = inspected.objects
    assert inspected.total == 1
    assert (facts.arch, facts.file_format, facts.kind) == ("x86_64", "elf", "lib")
    assert facts.debug_id == "426f9862-c46b-48c4-d981-64228ac3631d"
    assert facts.code_id == "62986f426bc4c448d98164228ac3631dbeb993e8"
    assert facts.features == ("debug", "symtab", "unwind")
    assert SymCache.open(str(out)).debug_id == facts.debug_id


@pytest.mark.parametrize(
    ("path", "file_format", "arch", "features"),
    [
        ("windows/crash.exe", "pe", "x86", ()),
        ("windows/crash.pdb", "pdb", "x86", ("debug", "symtab", "unwind")),
        ("windows/hello-dwarf.exe", "pe", "x86_64", ("debug", "unwind")),
        ("windows/portable.pdb", "portablepdb", "unknown", ("debug",)),
        ("macos/crash.dSYM/Contents/Resources/DWARF/crash", "macho", "x86_64", ("debug", "symtab")),
        ("macos/crash.sym", "breakpad", "x86_64", ("debug", "symtab", "unwind")),
        ("wasm/simple.wasm", "wasm", "wasm32", ("debug", "symtab")),
        ("linux/crash.debug-zstd", "elf", "x86_64", ("debug", "symtab")),
    ],
)
def test_every_format_is_recognised(converter, path, file_format, arch, features):
    [facts] = converter.inspect(shared(f"fixtures/peers/symbolic/{path}"), soon()).objects

    assert (facts.file_format, facts.arch, facts.features) == (file_format, arch, features)


@pytest.mark.parametrize(
    "path", ["windows/crash.pdb", "windows/hello-dwarf.exe", "macos/crash.sym", "wasm/simple.wasm", "linux/crash.debug"]
)
def test_every_native_format_is_converted_to_something_that_answers(converter, tmp_path, path):
    out = tmp_path / "out"
    out.touch()

    converter.make_symcache(shared(f"fixtures/peers/symbolic/{path}"), 0, out, soon())

    symcache = SymCache.open(str(out))
    assert any(symcache.lookup(address) for address in range(0, 0x8000, 16))


@pytest.mark.parametrize(
    ("path", "made"),
    [
        (LIBRARY, True),
        ("fixtures/peers/symbolic/windows/crash.pdb", True),
        ("fixtures/peers/symbolic/windows/crash.exe", False),
        ("fixtures/peers/symbolic/macos/Example.framework.dSYM/Contents/Resources/DWARF/Example", False),
    ],
    ids=["elf", "pdb", "without debug information", "several objects"],
)
def test_one_job_gives_what_two_give(converter, tmp_path, path, made):
    at_once, alone = tmp_path / "at-once", tmp_path / "alone"
    at_once.touch()
    alone.touch()

    inspected = converter.inspect_and_make(shared(path), at_once, soon())

    assert inspected.objects == converter.inspect(shared(path), soon()).objects
    assert inspected.symcache is made
    if made:
        converter.make_symcache(shared(path), 0, alone, soon())
    assert at_once.read_bytes() == alone.read_bytes()


def test_a_symcache_that_ends_its_job_does_not_hide_what_the_file_is(converter, tmp_path):
    """Who writes into a pipe that nobody reads waits for ever, and is killed."""
    process = start_server(tmp_path / "c.sock", "--wall-seconds", "1")
    try:
        os.mkfifo(tmp_path / "out")
        reader = os.open(tmp_path / "out", os.O_RDWR)
        asking = Converter(tmp_path / "c.sock", name="unused")

        inspected = asking.inspect_and_make(shared(LIBRARY), tmp_path / "out", soon())

        assert inspected == converter.inspect(shared(LIBRARY), soon())
        os.close(reader)
    finally:
        process.kill()
        process.wait()


def test_what_is_wrong_with_a_file_is_said_whoever_asks(converter, tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(LookupFailure) as caught:
        converter.inspect_and_make(Path(__file__), tmp_path / "out", soon())

    assert caught.value.kind is FailureKind.MALFORMED


def test_all_objects_of_a_fat_file_are_listed(converter):
    path = "fixtures/peers/symbolic/macos/Example.framework.dSYM/Contents/Resources/DWARF/Example"

    inspected = converter.inspect(shared(path), soon())

    assert [(facts.index, facts.arch) for facts in inspected.objects] == [(0, "x86_64"), (1, "arm64")]
    assert inspected.total == 2


@pytest.mark.parametrize(
    "content", [b"", b"<!doctype html><html>Log in</html>", b"\x7fELF" + b"\xff" * 200, os.urandom(4096)]
)
def test_what_is_no_object_is_malformed(converter, tmp_path, content):
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(LookupFailure) as caught:
        converter.inspect(tmp_path / "file", soon())

    assert caught.value.kind is FailureKind.MALFORMED


def test_a_file_that_is_gone_is_no_fault_of_the_file(converter, tmp_path):
    with pytest.raises(Exception, match="could not be done"):
        converter.inspect(tmp_path / "gone", soon())


def test_a_killed_converter_is_replaced(converter):
    library = shared(LIBRARY)
    converter.inspect(library, soon())
    first = converter._own.pid
    os.kill(first, signal.SIGKILL)

    assert converter.inspect(library, soon()).objects
    assert converter._own.pid != first


def test_threads_share_one_converter(converter):
    library = shared(LIBRARY)
    found = []
    threads = [threading.Thread(target=lambda: found.append(converter.inspect(library, soon()))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(found) == 16


def test_a_running_server_is_used(server):
    process, path = server
    converter = Converter(path, name="unused")

    assert converter.inspect(shared(LIBRARY), soon()).objects
    assert converter._own is None


def test_a_dead_server_is_replaced_by_one_of_our_own(tmp_path):
    converter = Converter(tmp_path / "nobody.sock", name=str(tmp_path))
    try:
        assert converter.inspect(shared(LIBRARY), soon()).objects
    finally:
        converter._own.kill()
        converter._own.wait()


def test_a_job_that_dies_is_the_files_fault_and_the_server_lives(tmp_path):
    """A child killed in the middle of its job, as by the kernel for want of memory."""
    process = start_server(tmp_path / "c.sock", "--wall-seconds", "0.3", "--places", "1")
    try:
        converter = Converter(tmp_path / "c.sock", name="unused")
        fifo = tmp_path / "never-ends"
        os.mkfifo(fifo)
        with pytest.raises(LookupFailure) as caught:
            converter.inspect(fifo, soon())
        assert caught.value.kind is FailureKind.TOO_LARGE
        with pytest.raises(LookupFailure, match="malformed"):
            converter.inspect(Path(__file__), soon())
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_job_has_no_more_memory_than_allowed(tmp_path):
    process = start_server(tmp_path / "c.sock", "--memory-bytes", str(1 << 20))
    try:
        converter = Converter(tmp_path / "c.sock", name="unused")
        with pytest.raises(Exception) as caught:  # noqa: PT011 - how it dies depends on who asks for memory first
            converter.inspect(shared(LIBRARY), soon())
        assert process.poll() is None
        assert "DeadlineExceeded" not in repr(caught.value)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("line", [b"{}\n", b"garbage\n", b'{"type":"format_disk"}\n', b'{"type":"inspect","path":5}\n'])
def test_a_request_that_makes_no_sense_is_answered(server, line):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server[1]))
        connection.sendall(line)
        assert isinstance(decode_reply(connection.makefile("rb").readline()), Broken)


def test_clients_that_say_nothing_do_not_stop_the_others(server):
    idle = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for connection in idle:
        connection.connect(str(server[1]))

    assert isinstance(Converter(server[1], name="unused").inspect(shared(LIBRARY), soon()), Inspected)
    for connection in idle:
        connection.close()


def test_the_server_ends_on_sigterm_and_removes_its_socket(server):
    process, path = server
    process.terminate()

    assert process.wait(10) == 0
    assert not path.exists()


def test_the_server_ends_with_its_parent(tmp_path):
    starter = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-m', 'engine.convert.server', '--socket', {str(tmp_path / 's')!r}])\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    wait_until((tmp_path / "s").exists)
    parent.kill()
    parent.wait()

    wait_until(lambda: not Path(f"/proc/{child}").exists() or "zombie" in Path(f"/proc/{child}/status").read_text())


def test_a_converter_of_our_own_ends_with_the_process_even_when_killed(tmp_path):
    copy = tmp_path / "lib.so"
    shutil.copy(shared(LIBRARY), copy)
    user = (
        "import pathlib, sys, threading, time\n"
        "from engine.convert.client import Converter\n"
        "from engine.outgoing import Deadline\n"
        f"c = Converter(None, name={str(tmp_path)!r})\n"
        f"t = threading.Thread(target=lambda: c.inspect(pathlib.Path({str(copy)!r}), Deadline.after(30)))\n"
        "t.start(); t.join(); time.sleep(0.3)\n"
        "print(c._own.pid if c._own.poll() is None else 'gone with its thread', flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", user], cwd=ROOT, stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()

    wait_until(lambda: not Path(f"/proc/{child}").exists() or "zombie" in Path(f"/proc/{child}/status").read_text())
