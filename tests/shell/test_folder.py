"""A directory as a source: files are known by what is in them."""

from __future__ import annotations

import gzip
import os
import shutil
from uuid import UUID

import pytest

from engine.convert.client import Converter
from engine.lookup.file_types import DEBUG_FILES
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from symbolsvc.shell import scan as scanning
from symbolsvc.shell.folder import FolderSource
from symbolsvc.shell.scan import scan
from tests.engine.formats import builders
from tests.engine.run.serving import read_image
from tests.engine.shared_fixtures import shared
from tests.shell.conftest import BUILDS

LEDGER = BUILDS / "nofp/libledger.so"


@pytest.fixture(scope="module")
def converter(tmp_path_factory):
    made = Converter(None, name=str(tmp_path_factory.mktemp("converter")))
    yield made
    made.close()


@pytest.fixture
def folder(converter):
    def opened(root):
        return FolderSource(str(root), scan(root, converter, Deadline.after(60), lambda text: None))

    return opened


@pytest.fixture(scope="module")
def ledger():
    image = read_image(LEDGER.read_bytes(), "libledger.so", type="elf")
    return Wanted(ModuleType.ELF, code_id=image.code_id, debug_id=DebugId.parse(image.debug_id))


def paths(source, wanted):
    return [location.path for _, location in source.locate(wanted, DEBUG_FILES[wanted.type])]


def test_a_file_is_found_whatever_it_is_called(folder, ledger, tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    shutil.copy(LEDGER, tmp_path / "deep/er/anything")
    assert paths(folder(tmp_path), ledger) == [str(tmp_path / "deep/er/anything")]


def test_either_id_finds_it(folder, ledger, tmp_path):
    shutil.copy(LEDGER, tmp_path / "x")
    source = folder(tmp_path)
    assert paths(source, Wanted(ModuleType.ELF, code_id=ledger.code_id))
    assert paths(source, Wanted(ModuleType.ELF, debug_id=ledger.debug_id))
    assert not paths(source, Wanted(ModuleType.ELF))
    assert not paths(source, Wanted(ModuleType.ELF, code_id="ab" * 20, debug_id=DebugId(UUID(int=5))))


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, lambda data: builders.zipped({"a/libledger.so": data})],
    ids=["gzip", "zip"],
)
def test_a_packed_file_is_found(folder, ledger, tmp_path, pack):
    (tmp_path / "x.packed").write_bytes(pack(LEDGER.read_bytes()))
    assert len(paths(folder(tmp_path), ledger)) == 1


def test_a_single_file_is_a_source_too(folder, ledger):
    assert paths(folder(LEDGER), ledger) == [str(LEDGER)]


def test_the_files_of_a_dsym_and_its_binary_are_found(folder):
    root = shared("fixtures/peers/symbolic/macos")
    wanted = Wanted(ModuleType.MACHO, debug_id=DebugId.parse("67e9247c-814e-392b-a027-dbde6748fcbf"))
    found = {path.removeprefix(f"{root}/") for path in paths(folder(root), wanted)}
    assert {"crash", "crash.dSYM/Contents/Resources/DWARF/crash", "crash.sym", "crash.inlines.sym"} <= found


def test_pdbs_and_programs_of_windows_are_found(folder):
    source = folder(shared("fixtures/peers/symbolic/windows"))
    wanted = Wanted(ModuleType.PE, debug_id=DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1"))
    names = {path.rpartition("/")[2] for path in paths(source, wanted)}
    assert "crash.pdb" in names


def test_what_is_no_debug_file_is_left_out(folder, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text").write_text("MODULE of something else\n")
    (tmp_path / "cut").write_bytes(LEDGER.read_bytes()[:100])
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "bad.gz").write_bytes(gzip.compress(b"x" * 1000)[:40])
    assert folder(tmp_path).found.files == ()


def test_a_file_that_changed_is_another_one(folder, ledger, tmp_path):
    shutil.copy(LEDGER, tmp_path / "x")
    (_, before), *_ = folder(tmp_path).locate(ledger, DEBUG_FILES[ModuleType.ELF])
    os.utime(tmp_path / "x", (1, 1))
    (_, after), *_ = folder(tmp_path).locate(ledger, DEBUG_FILES[ModuleType.ELF])
    assert before.path == after.path
    assert before.content != after.content


def test_a_directory_with_too_many_files_is_cut(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(scanning, "MAX_INSPECTED", 1)
    for name in "abc":
        shutil.copy(LEDGER, tmp_path / name)
    found = folder(tmp_path).found
    assert (len(found.files), found.cut) == (1, True)


@pytest.mark.parametrize("name", ["libledger.so", "/opt/LibLedger.so", "C:\\x\\libledger.so.debug", "libledger.so.sym"])
def test_files_of_the_same_name_are_named(folder, tmp_path, name):
    shutil.copy(LEDGER, tmp_path / "libledger.so.debug")
    assert len(folder(tmp_path).others(name)) == 1
