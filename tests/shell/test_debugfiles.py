"""`manage.py debugfiles`: what files are and lack, and the project's files from the shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from debugfiles.models import DebugFile
from projects.models import AuditEntry
from symbolsvc.shell.debugfiles import storing
from symbolsvc.shell.debugfiles.main import main
from symbolsvc.shell.debugfiles.walking import sized
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, LEDGER_DEBUG_ID, PROGUARD, upload
from tests.engine.shared_fixtures import shared
from tests.service import MANAGE, environment
from tests.shell.conftest import SYMBOLS, Said

CRASHY = SYMBOLS / "7b/8bde315c22bd5c45a544631356177b30e7d651"


@pytest.fixture
def run(capsys):
    def running(*words):
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return running


def objects(run, path):
    said = run("check", path, "--json")
    (file,) = json.loads(said.out)
    return said.status, file["objects"]


def test_a_file_that_has_everything_is_fine(run):
    said = run("check", LEDGER)

    assert said.status == 0
    for text in ("elf x86_64 lib, 94.4 KiB", LEDGER_DEBUG_ID, LEDGER_CODE_ID, "debug, symtab, unwind"):
        assert text in said.out
    assert "!" not in said.out


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("windows/crash.exe", "its names and lines are in its PDB: upload that too"),
        ("macos/crash", "upload its dSYM too"),
        ("macos/crash.dSYM/Contents/Resources/DWARF/crash", "Upload the program or library itself too"),
    ],
)
def test_what_a_file_lacks_is_said_with_the_remedy(run, path, text):
    status, (item,) = objects(run, shared(f"fixtures/peers/symbolic/{path}"))
    assert status == 1
    assert text in " ".join(item["lacks"])


def test_code_without_debug_information_needs_the_file_that_has_it(run):
    status, (item,) = objects(run, CRASHY)
    assert (status, item["features"]) == (1, ["symtab", "unwind"])
    assert "(.debug) too" in item["lacks"][0]


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("crash/C0BCC3F19827FE653058404B2831D9E60", []),
        ("crash/C0BCC3F19827FE653058404B2831D9E61", ["Its header says c0bcc3f1", "crashes ask for one of the two"]),
        ("other/C0BCC3F19827FE653058404B2831D9E60", ["Its header names the module crash, its directory other"]),
        ("crash/symbols", []),
    ],
)
def test_the_header_of_a_breakpad_file_is_held_against_the_place_it_lies_at(run, tmp_path, folder, said):
    place = tmp_path / folder
    place.mkdir(parents=True)
    shutil.copy(shared("fixtures/peers/symbolic/linux/crash.sym"), place / "crash.sym")

    status, (item,) = objects(run, place / "crash.sym")

    assert status == (1 if said else 0)
    for text in said:
        assert text in " ".join(item["lacks"])


def test_a_named_file_of_no_use_is_refused_and_one_of_a_directory_left_out(run, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    shutil.copy(LEDGER, tmp_path / "libledger.so")

    named, below = run("check", tmp_path / "notes.txt"), run("check", tmp_path)

    assert (named.status, below.status) == (1, 0)
    assert "notes.txt: not a debug file" in named.out
    assert "notes" not in below.out
    assert run("check", tmp_path / "nothing").status == 2


@pytest.mark.parametrize("words", [[], ["burn"], ["check"], ["upload", "x"], ["list"], ["list", "--project", "acme"]])
def test_a_wrong_command_line_has_a_status_of_its_own(run, words, db):
    assert run(*words).status == 3


def test_checking_needs_no_database(tmp_path):
    env = environment(tmp_path / "data", "postgresql://nobody@127.0.0.1:1/nothing")
    done = subprocess.run([*MANAGE, "debugfiles", "check", str(LEDGER)], env=env, capture_output=True, text=True)
    assert (done.returncode, LEDGER_DEBUG_ID in done.stdout) == (0, True), done.stderr


@pytest.mark.django_db
def test_files_are_uploaded_listed_and_found_by_their_names(run, acme_project, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "mapping.txt").write_bytes(PROGUARD)
    shutil.copy(LEDGER, tmp_path / "libledger.so")

    said = run("upload", tmp_path, "--project", "acme/native-app")

    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines()[0] == f"{tmp_path}/libledger.so: elf x86_64 {LEDGER_DEBUG_ID}"
    assert set(DebugFile.objects.values_list("object_name", flat=True)) == {"libledger.so", "mapping.txt"}
    assert AuditEntry.objects.filter(action="debug_file.uploaded", token=None).count() == 2
    listed = run("list", "--project", f"{acme_project.organization_id}/native-app").out.splitlines()
    assert len(listed) == 2
    assert "expires 20" in listed[0]
    (shown,) = json.loads(run("list", "--project", "acme/native-app", "--query", "ledger", "--json").out)
    assert shown["debugId"] == LEDGER_DEBUG_ID


@pytest.mark.django_db
def test_what_is_refused_does_not_keep_the_others_out(run, acme_project, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")

    said = run("upload", tmp_path / "notes.txt", LEDGER, tmp_path / "nothing", "--project", "acme/native-app", "--json")

    assert said.status == 2
    assert [row["objectName"] for row in json.loads(said.out)] == ["libledger.so"]
    assert "notes.txt: not a debug file" in said.err
    assert "nothing: No such file" in said.err


@pytest.mark.django_db
@pytest.mark.parametrize("reference", ["nobody/native-app", "acme/nothing"])
def test_a_project_that_is_not_there_is_a_wrong_command_line(run, acme_project, reference):
    assert run("list", "--project", reference).status == 3


@pytest.mark.django_db
def test_a_terminal_is_shown_how_far_it_got(run, acme_project, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "[####################] 1 of 1, libledger.so" in run("upload", LEDGER, "--project", "acme/native-app").err
    assert storing._bar(1, 4) == "[#####...............]"


@pytest.mark.django_db
def test_nobody_elses_files_are_listed(run, acme_project, umbrella_project):
    upload(umbrella_project, PROGUARD, "mapping.txt")
    assert run("list", "--project", "acme/native-app").out == ""


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes_are_for_people(count, text):
    assert sized(count) == text


def test_a_directory_that_names_itself_does_not_lead_anywhere_else(run, tmp_path):
    shutil.copy(LEDGER, tmp_path / "libledger.so")
    os.symlink(tmp_path, tmp_path / "again")
    assert run("check", tmp_path).out.count("elf x86_64") == 1
