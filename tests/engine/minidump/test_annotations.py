"""What Breakpad, Crashpad, Mozilla and programs themselves add to a dump."""

from __future__ import annotations

import struct
import uuid

import pytest

from engine.minidump import (
    AnnotationObject,
    ClientFrame,
    ClientStack,
    Cpu,
    CrashInfo,
    MemoryRange,
    Minidump,
    MiscInfo,
    open_minidump,
)
from tests.engine.minidump.writer import Writer

REPORT, CLIENT = uuid.UUID(int=0x1234 << 96 | 7), uuid.UUID(int=0x99 << 64 | 1)
MISC, ASSERTION, CLIENT_STACKS, MAC_CRASH_INFO, MEMORY_INFO = 15, 0x47670002, 0x53790001, 0x4D7A0001, 16
MAPS, ENVIRONMENT, COMMAND_LINE, STATUS, RELEASE, CPU_INFO = (
    *(0x47670009, 0x47670007, 0x47670006, 0x47670004, 0x47670005, 0x47670003),
)


def with_stream(type: int, data: bytes) -> Minidump:
    return open_minidump(Writer().stream(type, data).build())


@pytest.mark.parametrize("big_endian", [False, True])
def test_crashpads_annotations_are_read_in_every_form(big_endian: bool):
    writer = Writer(big_endian=big_endian)
    content = {
        "list": ["abort() called", "zweite"],
        "simple": {"channel": "beta"},
        "objects": [("gpu", 1, "Gerät".encode()), ("raw", 0x8001, b"\0\1\2")],
    }
    writer.crashpad({"ver": "1.2", "leer": ""}, {0: content, 5: {}}, REPORT, CLIENT)
    crashpad = open_minidump(writer.build()).crashpad
    assert (crashpad.report_id, crashpad.client_id) == (REPORT, CLIENT)
    assert crashpad.annotations == {"ver": "1.2", "leer": ""}
    module = crashpad.modules[0]
    assert (module.lines, module.simple) == (("abort() called", "zweite"), {"channel": "beta"})
    assert module.objects == (
        AnnotationObject("gpu", 1, "Gerät".encode()),
        AnnotationObject("raw", 0x8001, b"\0\1\2"),
    )
    assert [entry.text for entry in module.objects] == ["Gerät", None]
    assert (crashpad.modules[5].lines, crashpad.modules[5].simple, crashpad.modules[5].objects) == ((), {}, ())


def test_ids_of_zeros_are_none():
    crashpad = open_minidump(Writer().crashpad({}).build()).crashpad
    assert (crashpad.report_id, crashpad.client_id, crashpad.annotations, crashpad.modules) == (None, None, {}, {})


def test_annotations_that_refer_to_themselves_are_bounded():
    writer = Writer().crashpad({f"key{number}": "value" for number in range(200)}, {n: {} for n in range(500)})
    data = bytearray(writer.build())
    # Every module's annotations become the same long dictionary.
    stream = data.rindex(struct.pack("<I", 1) + bytes(32))
    size, at = struct.unpack_from("<II", data, stream + 36)
    for module in range(500):
        _, _, place = struct.unpack_from("<III", data, struct.unpack_from("<I", data, stream + 48)[0] + 4 + 12 * module)
        struct.pack_into("<II", data, place + 12, size, at)
    dump = open_minidump(bytes(data))
    assert dump.crashpad is None
    assert dump.damaged[0].reason == "there are too many annotations"


def misc(valid: int, size: int) -> bytes:
    texts = "17134.amd64fre".encode("utf-16-le").ljust(520, b"\0") + "dbgcore".encode("utf-16-le").ljust(80, b"\0")
    raw = struct.pack("<11I", size, valid, 77, 1000, 2, 3, 0, 0, 0, 0, 0) + struct.pack("<I", 0x2000)
    return (raw.ljust(232, b"\0") + texts).ljust(1364, b"\0")[:size]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (24, MiscInfo(77, 1000, 2, 3)),
        (44, MiscInfo(77, 1000, 2, 3)),
        (232, MiscInfo(77, 1000, 2, 3, 0x2000)),
        (832, MiscInfo(77, 1000, 2, 3, 0x2000, "17134.amd64fre", "dbgcore")),
        (1364, MiscInfo(77, 1000, 2, 3, 0x2000, "17134.amd64fre", "dbgcore")),
    ],
)
def test_miscellaneous_information_of_every_size_is_read(size: int, expected: MiscInfo):
    assert with_stream(MISC, misc(0xFFFF, size)).misc == expected


def test_only_what_is_marked_as_valid_counts():
    assert with_stream(MISC, misc(0, 1364)).misc == MiscInfo()
    assert with_stream(MISC, misc(1, 1364)).misc == MiscInfo(process_id=77)


def assertion(*texts: str, line: int = 0, kind: int = 0) -> bytes:
    raw = b"".join(text.encode("utf-16-le").ljust(256, b"\0") for text in texts)
    return raw + struct.pack("<II", line, kind)


def test_assertions_are_put_into_words():
    dump = with_stream(ASSERTION, assertion("ptr != nullptr", "run", "main.cpp", line=7, kind=1))
    assert dump.assertion == "invalid parameter ptr != nullptr in run at main.cpp:7"
    assert with_stream(ASSERTION, assertion("", "", "", kind=2)).assertion == "pure virtual call"
    assert with_stream(ASSERTION, assertion("", "", "")).assertion == ""
    assert open_minidump(Writer().build()).assertion == ""


def client_stacks(version: int = 1, extra: bytes = b"", first: int = 1, length: int = 4) -> bytes:
    symbols = "mainжrun".encode()
    head = struct.pack("<IIII", version, 1, 3, len(symbols)) + struct.pack("<III", 9, first, 2)
    frames = [(0x10, 0, 0), (0x20, 0, length), (0x30, 4, 5)]
    return head.ljust(32, b"\0") + b"".join(struct.pack("<QII", *frame) for frame in frames) + symbols + extra


def test_stacks_of_the_client_are_read():
    stacks = with_stream(CLIENT_STACKS, client_stacks()).client_stacks
    assert stacks == (ClientStack(9, (ClientFrame(0x20, "main"), ClientFrame(0x30, "жrun"))),)


@pytest.mark.parametrize(
    "data",
    [client_stacks(version=2), client_stacks(extra=b"."), client_stacks()[:-1], client_stacks(first=2), b"\1\0\0\0"],
    ids=["another version", "too long", "too short", "frames beyond the end", "no header"],
)
def test_stacks_of_the_client_that_do_not_fit_are_ignored(data: bytes):
    dump = with_stream(CLIENT_STACKS, data)
    assert dump.client_stacks == ()
    assert [entry.type for entry in dump.damaged] == [CLIENT_STACKS]


def test_a_symbol_beyond_the_symbols_costs_the_stream():
    assert with_stream(CLIENT_STACKS, client_stacks(length=99)).client_stacks == ()


def test_messages_of_macos_libraries_are_read():
    record = struct.pack("<QQQQ", 0, 5, 1, 0) + struct.pack("<Q", 0) + b"/usr/lib/dyld\0message\0\0bt\0second\0"
    writer = Writer().stream(0x7777, record)
    at = writer.build().index(record)
    listed = struct.pack("<III", 0, 1, 40) + struct.pack("<II", len(record), at) + bytes(8 * 19)
    dump = open_minidump(writer.stream(MAC_CRASH_INFO, listed).build())
    assert dump.mac_crash_info == (CrashInfo("/usr/lib/dyld", "message", "", "bt", "second"),)
    broken = struct.pack("<III", 0, 1, 72) + struct.pack("<II", len(record), at) + bytes(8 * 19)
    assert open_minidump(writer.stream(MAC_CRASH_INFO, broken).build()).mac_crash_info == ()


def test_memory_information_is_read_and_bounded():
    row = struct.pack("<QQIIQIIII", 0x1000, 0x1000, 4, 0, 0x2000, 0x1000, 2, 0x20000, 0)
    listed = struct.pack("<IIQ", 16, 48, 1) + row
    assert with_stream(MEMORY_INFO, listed).memory_info == (MemoryRange(0x1000, 0x1000, 4, 0x2000, 0x1000, 2, 0x20000),)
    for head in ((16, 48, 2**63), (16, 4, 1), (2, 48, 1), (99, 48, 1)):
        dump = with_stream(MEMORY_INFO, struct.pack("<IIQ", *head) + row)
        assert dump.memory_info == ()
        assert len(dump.damaged) == 1


def linux_dump() -> Minidump:
    writer = Writer()
    writer.stream(
        MAPS, b"00400000-0041a000 r-xp 00001000 fe:01 131 /opt/a b.so\nnonsense\n7f00-8000 rw-p 00000000 00:00 0\n"
    )
    writer.stream(ENVIRONMENT, b"HOME=/root\0TOKEN=s=cret\0odd\0")
    writer.stream(COMMAND_LINE, b"./crash\0--password\0secret\0")
    writer.stream(STATUS, b"Name:\tcrash\nPid:\t7\n")
    writer.stream(RELEASE, b'DISTRIB_ID=Ubuntu\nDISTRIB_DESCRIPTION="Ubuntu 22.04"\n')
    writer.stream(CPU_INFO, b"processor\t: 0\nmodel name\t: Xeon\n\nprocessor\t: 1\n\n")
    return open_minidump(writer.build())


def test_texts_of_linux_are_parsed():
    linux = linux_dump().linux
    assert [(entry.start, entry.end, entry.permissions, entry.offset, entry.path) for entry in linux.mappings()] == [
        (0x400000, 0x41A000, "r-xp", 0x1000, "/opt/a b.so"),
        (0x7F00, 0x8000, "rw-p", 0, ""),
    ]
    assert linux.variables() == {"HOME": "/root", "TOKEN": "s=cret"}
    assert linux.arguments() == ("./crash", "--password", "secret")
    assert linux.status_fields() == {"Name": "crash", "Pid": "7"}
    assert linux.release() == {"DISTRIB_ID": "Ubuntu", "DISTRIB_DESCRIPTION": "Ubuntu 22.04"}
    assert linux.processors() == ({"processor": "0", "model name": "Xeon"}, {"processor": "1"})


def test_secrets_of_the_process_are_in_no_repr():
    linux = linux_dump().linux
    assert "cret" not in repr(linux)
    assert "opt" not in repr(linux.mappings())


@pytest.mark.parametrize(("cpu", "form"), [(Cpu.X86_64, "QQ"), (Cpu.ARM, "II")])
def test_the_auxiliary_vector_is_as_wide_as_the_processor(cpu: Cpu, form: str):
    raw = struct.pack("<" + form, 33, 0x7000) + struct.pack("<" + form, 0, 0) + struct.pack("<" + form, 5, 5)
    assert open_minidump(Writer(cpu).stream(0x47670008, raw).build()).linux.auxiliary == ((33, 0x7000),)


def test_a_dump_without_them_has_none():
    dump = open_minidump(Writer().build())
    assert (dump.linux, dump.misc, dump.crashpad) == (None, None, None)
    assert (dump.mac_crash_info, dump.client_stacks, dump.memory_info, dump.unloaded_modules) == ((), (), (), ())
