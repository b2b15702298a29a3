"""Where files lie, by layout, file type and casing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.modules import DebugId, ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Casing, Layout, LayoutType
from engine.sourcetypes.paths import possible_paths
from engine.sourcetypes.paths.names import base_name
from tests.engine.shared_fixtures import shared

LIBRARY = Wanted(
    ModuleType.ELF,
    code_id="62986f426bc4c448d98164228ac3631dbeb993e8",
    code_file="/opt/app/libledger.so",
    debug_id=DebugId.parse("426f9862-c46b-48c4-d981-64228ac3631d"),
    debug_file="libledger.so",
)
PROGRAM = Wanted(
    ModuleType.PE,
    code_id="5f4d2c1e9a000",
    code_file="C:\\Program Files\\App\\Ledger.EXE",
    debug_id=DebugId.parse("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-1f"),
    debug_file="D:\\build\\Ledger.pdb",
)
BUNDLE = Wanted(
    ModuleType.MACHO,
    code_file="/Applications/Ledger.app/Contents/MacOS/Ledger",
    debug_id=DebugId.parse("11223344-5566-7788-99aa-bbccddeeff00"),
    debug_file="Ledger",
)
ASSEMBLY = Wanted(
    ModuleType.PE_DOTNET, debug_id=DebugId.parse("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-abcd"), debug_file="Ledger.pdb"
)
MODULE = Wanted(
    ModuleType.WASM,
    code_id="11223344556677889900aabbccddeeff",
    debug_id=DebugId.parse("11223344556677889900aabbccddeeff"),
)

OUR_OWN = [
    ("native", "elf_code", LIBRARY, ["62/986f426bc4c448d98164228ac3631dbeb993e8"]),
    ("native", "elf_debug", LIBRARY, ["62/986f426bc4c448d98164228ac3631dbeb993e8.debug"]),
    ("native", "breakpad", LIBRARY, ["libledger.so/426F9862C46B48C4D98164228AC3631D0/libledger.so.sym"]),
    ("native", "pe", PROGRAM, ["Ledger.EXE/5F4D2C1E9a000/Ledger.EX_", "Ledger.EXE/5F4D2C1E9a000/Ledger.EXE"]),
    ("native", "breakpad", PROGRAM, ["Ledger.pdb/0A1B2C3D4E5F60718293A4B5C6D7E8F91f/Ledger.sym"]),
    ("native", "sourcebundle", PROGRAM, ["Ledger.pdb/0A1B2C3D4E5F60718293A4B5C6D7E8F91f/Ledger.src.zip"]),
    ("native", "mach_debug", BUNDLE, ["1122/3344/5566/7788/99AA/BBCCDDEEFF00"]),
    ("native", "mach_code", BUNDLE, ["1122/3344/5566/7788/99AA/BBCCDDEEFF00.app"]),
    ("native", "portablepdb", ASSEMBLY, ["Ledger.pdb/0A1B2C3D4E5F60718293A4B5C6D7E8F9ffffffff/Ledger.pdb"]),
    ("native", "breakpad", MODULE, []),
    ("symstore", "elf_debug", LIBRARY, ["_.debug/elf-buildid-sym-62986f426bc4c448d98164228ac3631dbeb993e8/_.debug"]),
    ("symstore", "mach_code", BUNDLE, ["Ledger/mach-uuid-112233445566778899aabbccddeeff00/Ledger"]),
    ("symstore_index2", "portablepdb", PROGRAM, ["Le/Ledger.pdb/0A1B2C3D4E5F60718293A4B5C6D7E8F91f/Ledger.pdb"]),
    ("ssqp", "portablepdb", PROGRAM, ["ledger.pdb/0a1b2c3d4e5f60718293a4b5c6d7e8f91F/ledger.pdb"]),
    ("ssqp", "pe", PROGRAM, ["ledger.exe/5f4d2c1e9a000/ledger.ex_", "ledger.exe/5f4d2c1e9a000/ledger.exe"]),
    ("unified", "elf_code", LIBRARY, ["62/986f426bc4c448d98164228ac3631dbeb993e8/executable"]),
    ("unified", "breakpad", PROGRAM, ["0a/1b2c3d4e5f60718293a4b5c6d7e8f91f/breakpad"]),
    ("unified", "proguard", LIBRARY, []),
    ("debuginfod", "elf_debug", LIBRARY, ["62986f426bc4c448d98164228ac3631dbeb993e8/debuginfo"]),
    ("debuginfod", "pe", PROGRAM, []),
    ("slashsymbols", "elf_code", PROGRAM, ["Ledger.EXE/5f4d2c1e9a000/symbols", "Ledger.EXE/5F4D2C1E9A000/symbols"]),
]


@pytest.mark.parametrize(("layout", "file_type", "wanted", "expected"), OUR_OWN)
def test_a_file_lies_where_its_layout_puts_it(layout, file_type, wanted, expected):
    assert possible_paths(Layout(type=LayoutType(layout)), FileType(file_type), wanted) == expected


def test_all_recorded_paths_of_all_layouts_file_types_and_casings():
    vectors = json.loads(shared("reference/native_paths.json").read_bytes())
    wrong = []
    for row in vectors:
        module = row["module"]
        wanted = Wanted(
            ModuleType.parse(module["type"]),
            module.get("code_id"),
            module.get("code_file"),
            DebugId.parse(module["debug_id"]),
            module.get("debug_file"),
        )
        layout = Layout(type=LayoutType(row["layout"]), casing=Casing(row["casing"]))
        got = possible_paths(layout, FileType(row["filetype"]), wanted)
        if got != row["expected_paths"]:
            wrong.append((row, got))

    assert len(vectors) == 2205
    assert not wrong[:3]


@pytest.mark.parametrize("layout", list(LayoutType))
@pytest.mark.parametrize("file_type", list(FileType))
def test_a_module_without_ids_and_names_lies_nowhere(layout, file_type):
    for module_type in ModuleType:
        assert possible_paths(Layout(type=layout), file_type, Wanted(module_type)) == []


@given(
    st.sampled_from(list(LayoutType)),
    st.sampled_from(list(FileType)),
    st.sampled_from(list(ModuleType)),
    st.text(max_size=300),
    st.text(max_size=300),
    st.text("0123456789abcdef", max_size=50),
)
def test_no_report_can_make_a_path_that_leaves_the_source(
    layout, file_type, module_type, code_file, debug_file, code_id
):
    wanted = Wanted(module_type, code_id or None, code_file, LIBRARY.debug_id, debug_file)
    for path in possible_paths(Layout(type=layout), file_type, wanted):
        segments = path.split("/")
        assert not {"", ".", ".."} & set(segments)
        assert "\\" not in path
        assert not any(ord(char) < 32 for char in path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b", "b"),
        ("C:\\a\\b.exe", "b.exe"),
        ("C:\\a/b\\", "b"),
        ("plain", "plain"),
        ("", None),
        (None, None),
        ("/", None),
        ("/a/..", None),
        ("a/.", None),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
        ("a\nb", None),
    ],
)
def test_the_base_name_is_the_last_component_by_either_separator(path, name):
    assert base_name(path) == name
