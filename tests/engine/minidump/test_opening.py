"""Headers, directories, and what a dump cannot do without."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import pytest

from engine.errors import BadReport
from engine.minidump import BadMinidump, Cpu, Os, open_minidump
from engine.minidump.directory import MAX_STREAMS
from tests.engine.minidump.writer import Writer

SYSTEM, THREADS = 7, 3


def simple() -> Writer:
    return Writer().thread(1, {"rip": 0x1000, "rsp": 0x2000}).module(0x1000, 0x1000, "/bin/a", build_id=b"\x01" * 20)


def test_bytes_views_and_maps_are_opened_alike(tmp_path: Path):
    data = simple().build()
    (tmp_path / "a.dmp").write_bytes(data)
    with (tmp_path / "a.dmp").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    for source in (data, bytearray(data), memoryview(data), mapped):
        dump = open_minidump(source)
        assert (dump.timestamp, dump.threads[0].id, dump.modules[0].name) == (1_700_000_000, 1, "/bin/a")


@pytest.mark.parametrize("big_endian", [False, True])
def test_both_byte_orders_are_read(big_endian: bool):
    writer = simple()
    writer.big_endian = big_endian
    writer._threads.clear()
    dump = open_minidump(writer.thread(7, {"rip": 0x1234, "rsp": 0x5678}, name="größer").build())
    thread = dump.threads[0]
    assert (thread.id, thread.name, thread.registers and thread.registers.pc) == (7, "größer", 0x1234)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Missing minidump header (empty minidump?)"),
        (b"MDMP\x93\xa7\0\0", "Missing minidump header (empty minidump?)"),
        (b"--boundary" + bytes(40), "Header mismatch"),
        (b"MDMP\x94\xa7" + bytes(40), "Minidump version mismatch"),
        (
            b"MDMP\x93\xa7\0\0" + struct.pack("<II", 5, 32) + bytes(16),
            "Missing stream directory (heavily truncated minidump?)",
        ),
        (b"MDMP\x93\xa7\0\0" + b"\xff" * 8 + bytes(16), "Missing stream directory (heavily truncated minidump?)"),
        (b"MDMP\x93\xa7\0\0" + bytes(24), "The system information stream was not found"),
    ],
)
def test_a_header_that_is_none_is_refused_by_name(data: bytes, message: str):
    with pytest.raises(BadMinidump) as refused:
        open_minidump(data)
    assert refused.value.message == message
    assert isinstance(refused.value, BadReport)


def test_the_writers_half_of_the_version_is_free():
    data = bytearray(simple().build())
    data[6:8] = b"\xab\xcd"
    assert open_minidump(bytes(data)).threads


def test_a_directory_of_too_many_streams_is_refused_before_it_is_read():
    data = bytearray(simple().build())
    data[8:12] = (MAX_STREAMS + 1).to_bytes(4, "little")
    with pytest.raises(BadMinidump, match="Missing stream directory"):
        open_minidump(bytes(data) + bytes(12 * MAX_STREAMS))


@pytest.mark.parametrize(("stream", "what"), [(SYSTEM, "system information"), (THREADS, "thread list")])
def test_a_dump_whose_needed_stream_is_damaged_says_why(stream: int, what: str):
    with pytest.raises(BadMinidump, match=f"The {what} stream cannot be read: "):
        open_minidump(simple().stream(stream, b"\xff" * 8).build())


def test_a_damaged_stream_costs_only_itself():
    dump = open_minidump(simple().stream(4, b"\xff" * 8).stream(15, b"x").build())
    assert dump.modules == ()
    assert dump.misc is None
    assert len(dump.threads) == 1
    assert {entry.type for entry in dump.damaged} == {4, 15}
    assert all(entry.reason for entry in dump.damaged)


def test_streams_that_nobody_needs_are_passed_over():
    writer = simple()
    for type in (10, 11, 12, 13, 17, 18, 19, 21, 22, 0x4D7A0004, 0xFFFF0000):
        writer.stream(type, b"\xff" * 40)
    assert open_minidump(writer.build()).damaged == ()


@pytest.mark.parametrize(
    ("os", "csd", "version", "expected"),
    [
        (Os.LINUX, "Linux 5.4.0-1 #1 SMP Mon Nov 6 2017 x86_64", (0, 0, 0), ("5.4.0-1", "#1 SMP Mon Nov 6 2017")),
        (Os.LINUX, "Linux 5.4 #7 PREEMPT aarch64 GNU/Linux", (0, 0, 0), ("5.4", "#7 PREEMPT")),
        (Os.LINUX, "Linux 5.4 #7 x86_64", (6, 1, 0), ("6.1.0", "Linux 5.4 #7 x86_64")),
        (Os.LINUX, "something else", (0, 0, 0), ("0.0.0", "something else")),
        (Os.ANDROID, "Linux 5.4 #7 aarch64", (0, 0, 0), ("0.0.0", "Linux 5.4 #7 aarch64")),
        (Os.WINDOWS, " Service Pack 2 ", (5, 1, 2600), ("5.1.2600", "Service Pack 2")),
        (Os.UNKNOWN, "", (1, 2, 3), ("1.2.3", "")),
    ],
)
def test_versions_and_builds_follow_the_system(
    os: Os, csd: str, version: tuple[int, int, int], expected: tuple[str, str]
):
    system = open_minidump(Writer(Cpu.X86_64, os, version=version, csd=csd).build()).system
    assert (system.os, system.version, system.build) == (os, *expected)


def test_a_build_that_cannot_be_read_is_empty():
    writer = Writer(version=(1, 2, 3))
    system = struct.pack("<HHHBBIIIIIHH", 9, 0, 0, 4, 1, 1, 2, 3, 0x8201, 0xFFFFFF00, 0, 0) + bytes(24)
    assert open_minidump(writer.stream(SYSTEM, system).build()).system.build == ""
