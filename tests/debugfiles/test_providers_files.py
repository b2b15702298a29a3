"""A project's debug files as a source of the engine: found at once, by everyone who may, and not fetched twice."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.blobs import blob_store
from debugfiles import services
from debugfiles.models import Blob, DebugFile
from debugfiles.providers import listed, project_files
from engine.errors import FailureKind
from engine.lookup import ModuleStatus
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline, PassingFailure
from engine.sourcetypes.base import FileType
from projects.access import SYSTEM
from tests.debugfiles.uploading import (
    LEDGER,
    LEDGER_CODE_ID,
    LEDGER_DEBUG_ID,
    PROGUARD,
    access_to,
    upload,
)
from tests.engine.lookup.conftest import LEDGER as WANTED
from tests.engine.lookup.conftest import look, store  # noqa: F401 - a fixture

UUID = "12345678-1234-4234-8234-123456789abc"
NEVER = Deadline.never()
ROOT = Path(__file__).parents[2]


def wanted(debug_id=None, code_id=None):
    return Wanted(ModuleType.ELF, code_id=code_id, debug_id=DebugId.parse(debug_id) if debug_id else None)


def located(project, asked, *file_types):
    found = project_files(access_to(project)).locate(asked, file_types or tuple(FileType))
    return [(file_type.value, int(location.path)) for file_type, location in found]


def fetched(project, pk):
    source = project_files(access_to(project))
    target = io.BytesIO()
    location = next(one for _, one in source.locate(wanted(LEDGER_DEBUG_ID), tuple(FileType)) if one.path == str(pk))
    source.fetch(location, wanted(), target, NEVER)
    return target.getvalue()


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_found_by_the_next_request_of_every_process(acme_project, store):  # noqa: F811
    assert look(store, [project_files(access_to(acme_project))]).status is ModuleStatus.MISSING

    upload(acme_project, LEDGER.read_bytes(), "libledger.so")

    assert look_elsewhere(acme_project, store) == "found"
    answer = look(store, [project_files(access_to(acme_project))])
    assert answer.status is ModuleStatus.FOUND
    (candidate,) = [row for row in answer.candidates if row.debug is not None]
    assert (candidate.source, candidate.location) == (
        "sentry:project",
        f"symbolsvc://project_debug_file/{DebugFile.objects.get().pk}",
    )


def look_elsewhere(project, store):  # noqa: F811
    """What another process finds, with the same cache directory and nothing in memory."""
    database = {**os.environ, "SYMBOLSVC_TEST_DATABASE": connection.settings_dict["NAME"]}
    arguments = [sys.executable, "-m", "tests.debugfiles.elsewhere", str(project.pk), str(store.cache_dir)]
    done = subprocess.run(arguments, env=database, capture_output=True, text=True, timeout=60, cwd=ROOT)
    return done.stdout.strip() or done.stderr


@pytest.mark.django_db(transaction=True)
def test_what_was_fetched_stays_good_when_other_files_come(acme_project, store, monkeypatch):  # noqa: F811
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    first = look(store, [project_files(access_to(acme_project))])
    upload(acme_project, PROGUARD, "mapping.txt")

    monkeypatch.setattr(type(blob_store()), "pieces", None)
    again = look(store, [project_files(access_to(acme_project))])

    assert again.status is ModuleStatus.FOUND
    assert again.path == first.path


@pytest.mark.django_db(transaction=True)
def test_a_deleted_file_is_not_found_any_more(acme_project, store):  # noqa: F811
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert look(store, [project_files(access_to(acme_project))]).status is ModuleStatus.FOUND

    services.delete_debug_file(project=acme_project, actor=SYSTEM, file_id=row.pk)

    assert look(store, [project_files(access_to(acme_project))]).status is ModuleStatus.MISSING


@pytest.mark.django_db(transaction=True)
def test_a_lost_content_is_an_error_and_not_remembered(acme_project, store):  # noqa: F811
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    key = Blob.objects.get().key
    blob_store().delete(key)
    lost = look(store, [project_files(access_to(acme_project))])
    assert lost.status is ModuleStatus.FETCHING_FAILED

    # Sent once more it is written anew, though its row is there.
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert look(store, [project_files(access_to(acme_project))]).status is ModuleStatus.FOUND
    assert WANTED.code_id == LEDGER_CODE_ID


@pytest.mark.django_db
def test_a_file_is_found_by_debug_id_else_by_code_id(acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")

    assert located(acme_project, wanted(LEDGER_DEBUG_ID)) == [("elf_debug", row.pk)] or located(
        acme_project, wanted(LEDGER_DEBUG_ID)
    ) == [("elf_code", row.pk)]
    assert located(acme_project, wanted(code_id=LEDGER_CODE_ID), FileType.ELF_CODE) == [("elf_code", row.pk)]
    assert located(acme_project, wanted(UUID, LEDGER_CODE_ID), FileType.ELF_DEBUG) == [("elf_debug", row.pk)]
    assert located(acme_project, wanted(UUID)) == []
    assert located(acme_project, wanted()) == []
    assert located(acme_project, wanted(LEDGER_DEBUG_ID), FileType.PDB) == []


@pytest.mark.django_db
def test_a_file_with_the_debug_id_goes_before_one_with_the_code_id_alone(acme_project):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    (other,) = upload(acme_project, PROGUARD, "mapping.txt", UUID)

    assert located(acme_project, wanted(UUID, LEDGER_CODE_ID)) == [("proguard", other.pk)]


@pytest.mark.django_db
def test_a_later_age_serves_an_earlier_crash_and_not_the_other_way_round(acme_project):
    (row,) = upload(acme_project, PROGUARD, "mapping.txt", f"{UUID}-5")

    assert located(acme_project, wanted(f"{UUID}-3")) == [("proguard", row.pk)]
    assert located(acme_project, wanted(f"{UUID}-5")) == [("proguard", row.pk)]
    assert located(acme_project, wanted(f"{UUID}-6")) == []


@pytest.mark.django_db
def test_several_files_of_one_debug_id_come_newest_first(acme_project):
    rows = [upload(acme_project, PROGUARD + bytes([65 + n]), "mapping.txt", UUID)[0].pk for n in range(3)]

    assert located(acme_project, wanted(UUID)) == [("proguard", pk) for pk in reversed(rows)]


@pytest.mark.django_db
def test_nobody_else_is_offered_a_file(acme_project, umbrella_project):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert located(umbrella_project, wanted(LEDGER_DEBUG_ID)) == []

    # The same content, of their own: not a byte is stored twice, and each is told of their own row.
    (theirs,) = upload(umbrella_project, LEDGER.read_bytes(), "libledger.so")
    assert Blob.objects.count() == 1
    assert [pk for _, pk in located(umbrella_project, wanted(LEDGER_DEBUG_ID))] == [theirs.pk]

    source = project_files(access_to(acme_project))
    (place,) = [one for _, one in source.locate(wanted(LEDGER_DEBUG_ID), tuple(FileType))]
    with pytest.raises(PassingFailure) as failure:
        project_files(access_to(umbrella_project)).fetch(place, wanted(), io.BytesIO(), NEVER)
    assert failure.value.kind is FailureKind.NOT_FOUND
    assert source.cache_key[:16] != project_files(access_to(umbrella_project)).cache_key[:16]


@pytest.mark.django_db
def test_a_lookup_is_one_query_and_none_for_a_project_without_files(acme_project):
    source = project_files(access_to(acme_project))
    with CaptureQueriesContext(connection) as queries:
        source.locate(wanted(LEDGER_DEBUG_ID), tuple(FileType))
    assert len(queries) == 0

    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    opened = access_to(acme_project)
    with CaptureQueriesContext(connection) as queries:
        project_files(opened).locate(wanted(LEDGER_DEBUG_ID), tuple(FileType))
    assert len(queries) == 1


@pytest.mark.django_db
def test_use_is_noted_at_most_once_an_hour(acme_project, monkeypatch):
    monkeypatch.setattr(listed, "_SECONDS", 0)
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    recently, long_ago = timezone.now() - timedelta(minutes=50), timezone.now() - timedelta(hours=2)
    for before, moved in ((recently, False), (long_ago, True)):
        DebugFile.objects.filter(pk=row.pk).update(last_used=before)
        located(acme_project, wanted(LEDGER_DEBUG_ID))
        assert (DebugFile.objects.get(pk=row.pk).last_used != before) is moved


@pytest.mark.django_db
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=5000))
def test_what_was_uploaded_is_what_is_served(acme_project, tail):
    content = PROGUARD + tail
    (row,) = upload(acme_project, content, "mapping.txt", LEDGER_DEBUG_ID)
    assert fetched(acme_project, row.pk) == content
