"""Modules: what identifies them on each system, in which order they come, and which ones had been unloaded."""

from __future__ import annotations

import struct
import uuid

import pytest

from engine.minidump import Cpu, DumpModule, Minidump, Os, open_minidump
from engine.modules import DebugId, ModuleType
from tests.engine.minidump.writer import Writer

BUILD_ID = bytes(range(1, 21))
IDENTITY = "3249d99d-0c40-4931-8610-f4e4fb0b6936"
FROM_BUILD_ID = "04030201-0605-0807-090a-0b0c0d0e0f10"
PDB = ("crash.pdb", IDENTITY, 1)


def dump_of(os: Os, **module: object) -> Minidump:
    writer = Writer(Cpu.X86_64, os).module(0x400000, 0x9000, "/bin/crash", timestamp=0x5AB38077, **module)
    return open_minidump(writer.build())


def module_of(os: Os, **module: object) -> DumpModule:
    (only,) = dump_of(os, **module).modules
    return only


def ids(module: DumpModule) -> tuple[str | None, str | None, str | None]:
    return module.code_id, str(module.debug_id) if module.debug_id else None, module.debug_file


@pytest.mark.parametrize(
    ("os", "module", "expected"),
    [
        (Os.WINDOWS, {"pdb": PDB}, ("5ab380779000", f"{IDENTITY}-1", "crash.pdb")),
        (Os.WINDOWS, {}, ("5ab380779000", None, None)),
        (Os.LINUX, {"build_id": BUILD_ID}, (BUILD_ID.hex(), FROM_BUILD_ID, "/bin/crash")),
        (Os.LINUX, {"build_id": bytes(20)}, (None, None, "/bin/crash")),
        (Os.LINUX, {"build_id": b"\x11\x22\x33"}, ("112233", "00332211-0000-0000-0000-000000000000", "/bin/crash")),
        (Os.LINUX, {"build_id": b""}, (None, None, "/bin/crash")),
        (Os.LINUX, {"pdb": PDB}, ("5ab380779000", f"{IDENTITY}-1", "crash.pdb")),
        (Os.LINUX, {}, (None, None, None)),
        (Os.ANDROID, {"build_id": BUILD_ID}, (BUILD_ID.hex(), FROM_BUILD_ID, "/bin/crash")),
        (Os.MACOS, {"pdb": ("crash", IDENTITY, 0)}, (IDENTITY.replace("-", ""), IDENTITY, "crash")),
        (Os.IOS, {"pdb": ("crash", IDENTITY, 0)}, (IDENTITY.replace("-", ""), IDENTITY, "crash")),
        (Os.MACOS, {"pdb": ("crash", str(uuid.UUID(int=0)), 0)}, (None, None, "crash")),
        (Os.MACOS, {}, (None, None, None)),
        (Os.WINDOWS, {"codeview": b"????" + bytes(40)}, ("5ab380779000", None, None)),
        (Os.WINDOWS, {"codeview": b"RSDS" + bytes(8)}, ("5ab380779000", None, None)),
        (Os.WINDOWS, {"codeview": b"RS"}, ("5ab380779000", None, None)),
        (Os.WINDOWS, {"pdb": ("", IDENTITY, 3)}, ("5ab380779000", f"{IDENTITY}-3", None)),
    ],
)
def test_ids_follow_the_system_and_the_record(os: Os, module: dict[str, object], expected: tuple[str | None, ...]):
    assert ids(module_of(os, **module)) == expected


def test_old_pdb_records_have_a_time_for_an_id():
    writer = Writer(Cpu.X86, Os.WINDOWS)
    writer.module(0x400000, 0x9000, "a.exe", codeview=writer.pdb20("old.pdb", 0x3B7D8410, 2), timestamp=1)
    (module,) = open_minidump(writer.build()).modules
    assert ids(module) == ("000000019000", "3b7d8410-0000-0000-0000-000000000000-2", "old.pdb")


@pytest.mark.parametrize("os", [Os.WINDOWS, Os.LINUX])
def test_ids_in_dumps_of_the_other_byte_order(os: Os):
    writer = Writer(Cpu.PPC, os, big_endian=True).module(0x400000, 0x9000, "/bin/crash", pdb=PDB)
    assert open_minidump(writer.build()).modules[0].debug_id == DebugId(uuid.UUID(IDENTITY), 1)


@pytest.mark.parametrize(
    ("os", "type"),
    [
        (Os.WINDOWS, ModuleType.PE),
        (Os.MACOS, ModuleType.MACHO),
        (Os.IOS, ModuleType.MACHO),
        (Os.LINUX, ModuleType.ELF),
        (Os.ANDROID, ModuleType.ELF),
        (Os.SOLARIS, ModuleType.ELF),
        (Os.NACL, ModuleType.UNKNOWN),
        (Os.UNKNOWN, ModuleType.UNKNOWN),
    ],
)
def test_the_type_of_modules_follows_the_system(os: Os, type: ModuleType):
    assert module_of(os).type is type


@pytest.mark.parametrize("text", [r"C:\Users\Jürgen\größe.dll", "/opt/цех/日本.so", "/tmp/\U0001f600.so", ""])
def test_names_of_any_script_are_read(text: str):
    (module,) = open_minidump(Writer().module(0x1000, 0x1000, text).build()).modules
    assert (module.name, module.code_file) == (text, text)


def test_half_a_surrogate_is_replaced():
    (module,) = open_minidump(Writer().module(0x1000, 0x1000, "a\ud800b").build()).modules
    assert module.name == "a\ufffdb"


def test_modules_come_by_address_without_those_that_reach_into_another():
    writer = Writer()
    for base, size in ((0x5000, 0x1000), (0x1000, 0x2000), (0x2000, 0x1000), (0x3000, 0x100), (0x1000, 0x3000)):
        writer.module(base, size, f"/{base:x}/{size:x}")
    modules = open_minidump(writer.build()).modules
    assert [module.name for module in modules] == ["/1000/2000", "/3000/100", "/5000/1000"]
    assert [module.number for module in modules] == [1, 3, 0]


def test_a_module_may_end_with_the_address_space_and_not_behind_it():
    writer = Writer().module(2**64 - 0x1000, 0x1000, "/last").module(2**64 - 0x2000, 0x2001, "/beyond")
    assert [module.name for module in open_minidump(writer.build()).modules] == ["/last"]


def test_versions_are_those_of_the_file():
    assert module_of(Os.WINDOWS, version=(10, 0, 17134, 1)).version == "10.0.17134.1"
    assert module_of(Os.WINDOWS).version is None
    assert module_of(Os.WINDOWS, version=(0, 0, 0, 0)).version is None


def test_a_record_beyond_the_end_costs_only_itself_and_is_told():
    data = bytearray(Writer().module(0x1000, 0x1000, "/a", build_id=BUILD_ID).module(0x3000, 0x10, "/b").build())
    at = data.index(struct.pack("<QI", 0x1000, 0x1000))
    data[at + 80 : at + 84] = b"\xf0\xff\xff\xff"
    dump = open_minidump(bytes(data))
    assert [(module.name, module.code_id) for module in dump.modules] == [("/a", None), ("/b", None)]
    assert "the module at 0x1000" in dump.damaged[0].reason


def test_a_name_beyond_the_end_costs_only_itself():
    data = bytearray(Writer().module(0x1000, 0x1000, "/a").build())
    at = data.index(struct.pack("<QI", 0x1000, 0x1000))
    data[at + 20 : at + 24] = b"\xff" * 4
    assert [module.name for module in open_minidump(bytes(data)).modules] == [""]


def test_unloaded_modules_are_listed_as_they_are():
    writer = Writer(os=Os.WINDOWS).unloaded(0x3000, 0x1000, "old.dll", 7).unloaded(0x3000, 0x2000, "older.dll")
    unloaded = open_minidump(writer.build()).unloaded_modules
    assert [(module.base, module.size, module.name, module.code_id) for module in unloaded] == [
        (0x3000, 0x1000, "old.dll", "000000071000"),
        (0x3000, 0x2000, "older.dll", "000000002000"),
    ]
