"""Every path that a client of any layout asks for is understood, whatever the case of its letters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.modules import DebugId, ModuleType, Wanted
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import Casing, Layout, LayoutType
from engine.sourcetypes.paths import possible_paths
from symbolserver.access import split
from symbolserver.readings import read, read_source
from symbolserver.selectors import find_file
from tests.engine.shared_fixtures import shared
from tests.symbolserver.asking import row_of

_HEX = "0123456789abcdef"
_CODE_IDS = st.text(_HEX, min_size=3, max_size=80)
_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=["Cc", "Cs"]), min_size=1)
_DEBUG_IDS = st.builds(DebugId, st.uuids(), st.integers(0, 2**32 - 1))


def wanted_of(module):
    debug_id = DebugId.parse(module["debug_id"])
    kind = ModuleType.parse(module["type"])
    return Wanted(kind, module.get("code_id"), module.get("code_file"), debug_id, module.get("debug_file"))


def plain_paths(layout, casing, file_type, wanted):
    """The paths of the file itself; compressed forms, which come first in pairs, are nothing that we have."""
    paths = possible_paths(Layout(type=layout, casing=casing), file_type, wanted)
    compressible = file_type in (FileType.PE, FileType.PDB)
    return (paths[1::2], paths[::2]) if compressible else (paths, [])


def asks_for(reading, file_type, wanted):
    """Whether a reading finds a file of the type with the ids of the module."""
    if file_type not in reading.file_types:
        return False
    if reading.code_id and reading.code_id == wanted.code_id:
        return True
    asked = wanted.debug_id
    return (
        any(one.uuid == asked.uuid and one.appendix <= asked.appendix for one in reading.debug_ids) if asked else False
    )


def test_every_recorded_path_finds_the_file_that_lies_there():
    rows = json.loads(shared("reference/native_paths.json").read_bytes())
    lost, paths = [], 0
    for row in rows:
        wanted, file_type = wanted_of(row["module"]), FileType(row["filetype"])
        plain, _ = plain_paths(LayoutType(row["layout"]), Casing(row["casing"]), file_type, wanted)
        assert set(plain) <= set(row["expected_paths"])
        for path in plain:
            paths += 1
            if not any(asks_for(reading, file_type, wanted) for reading in read(path)):
                lost.append((row["layout"], path))

    assert paths > 900
    assert not lost[:3]


@given(
    st.sampled_from(list(LayoutType)),
    st.sampled_from(list(Casing)),
    st.sampled_from(list(FileType)),
    st.builds(Wanted, st.sampled_from(list(ModuleType)), _CODE_IDS, _NAMES, _DEBUG_IDS, _NAMES),
)
def test_every_path_that_the_engine_makes_finds_the_file_that_lies_there(layout, casing, file_type, wanted):
    plain, _ = plain_paths(layout, casing, file_type, wanted)
    for path in plain:
        assert any(asks_for(reading, file_type, wanted) for reading in read(split(path).path)), path


@pytest.mark.django_db
def test_the_recorded_paths_of_every_layout_find_rows_of_the_database(acme_project):
    """One path of each layout and type, in the database: what the properties above say in memory."""
    chosen = {}
    for row in json.loads(shared("reference/native_paths.json").read_bytes()):
        chosen.setdefault((row["layout"], row["filetype"], row["module"]["type"]), row)
    missed = 0
    made = {}
    for row in chosen.values():
        wanted, file_type = wanted_of(row["module"]), FileType(row["filetype"])
        plain, _ = plain_paths(LayoutType(row["layout"]), Casing(row["casing"]), file_type, wanted)
        for path in plain:
            key = (file_type, wanted.code_id, wanted.debug_id)
            if key not in made:
                made[key] = row_of(acme_project, [file_type], debug_id=wanted.debug_id, code_id=wanted.code_id or "")
            missed += find_file(acme_project.pk, read(path)).file is None

    assert len(made) > 50
    assert missed == 0


@pytest.mark.parametrize(
    "path",
    [
        "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pd_",
        "crash.exe/5AB380779000/crash.ex_",
        "cr/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pd_",
        "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/file.ptr",
        "crash.pdb/not-an-id/crash.pdb",
        "pingme.txt",
        "000Admin/lastid.txt",
        "buildid/xyz/debuginfo",
        "buildid/62986f426bc4c448/section/.debug_info",
        "metrics",
        "../../etc/passwd",
        "a" * 8000,
        "/".join("a" * 4000),
    ],
)
def test_what_is_no_files_path_is_not_read(path):
    assert read(path) == ()


@given(st.text(max_size=200))
def test_any_text_is_read_or_not(path):
    read(path)
    read_source(path)
    split(path)


def test_a_source_file_keeps_the_case_of_its_path():
    asked = read_source("buildid/62986F42/source/usr/src/Ledger.cpp")
    assert asked is not None
    assert (asked.build_id, asked.path) == ("62986f42", "usr/src/Ledger.cpp")


TOKEN = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "token", "rest"),
    [
        (f"t/{TOKEN}/buildid/62986f42/debuginfo", TOKEN, "buildid/62986f42/debuginfo"),
        (f"t/{TOKEN}//buildid//62986f42/debuginfo", TOKEN, "buildid/62986f42/debuginfo"),
        ("t/mistyped/buildid/62986f42/debuginfo", "mistyped", "buildid/62986f42/debuginfo"),
        ("t/t.exe/5AB380779000/t.exe", None, "t/t.exe/5AB380779000/t.exe"),
        ("t/5AB380779000/t", None, "t/5AB380779000/t"),
        ("t", None, "t"),
    ],
)
def test_a_token_in_the_path_is_told_from_the_names_of_files(path, token, rest):
    assert (split(path).token, split(path).path) == (token, rest)
