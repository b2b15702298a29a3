"""What is known of a module while its project's files come and go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from debugfiles import services
from debugfiles.models import DebugFile
from debugfiles.providers import listed, project_files
from engine.modules import DebugId, ModuleType, Wanted
from engine.run import Engine, Gate
from engine.sourcetypes.base import FileType
from projects.access import SYSTEM
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, LEDGER_DEBUG_ID, PROGUARD, access_to, upload
from tests.engine.conftest import server  # noqa: F401 - a fixture
from tests.engine.lookup.conftest import store  # noqa: F401 - a fixture
from tests.engine.run.serving import BASE, PLAIN, ask, http_source, read_image, serve_elf, stack
from tests.engine.webserver import WebServer

pytestmark = pytest.mark.django_db(transaction=True)

OTHERS = tuple(Wanted(ModuleType.ELF, debug_id=DebugId(UUID(int=number), 0)) for number in range(1, 60))


@pytest.fixture
def engine(store):  # noqa: F811
    return Engine(store, Gate())


@pytest.fixture
def asked(engine, acme_project):
    """What the next request of the project finds out about the small library; and the statements that it took."""
    image = read_image(LEDGER.read_bytes(), "libledger.so", type="elf")
    request = {"stacktraces": [stack(PLAIN)], "modules": [image.module(BASE)]}

    def ask_project(*more: Any) -> tuple[str, int]:
        files = project_files(access_to(acme_project))
        with CaptureQueriesContext(connection) as queries:
            answer = ask(engine, request, [files, *more])
        return answer["modules"][0]["debug_status"], len(queries)

    return ask_project


def test_other_uploads_leave_what_is_known_of_a_module(asked, acme_project, server: WebServer):  # noqa: F811
    serve_elf(server, LEDGER.read_bytes(), "libledger.so")
    source = http_source(server)
    upload(acme_project, PROGUARD, "mapping.txt")
    assert asked(source) == ("found", 1)
    requests = len(server.asked)
    assert asked(source) == ("found", 0)

    upload(acme_project, PROGUARD + b"# another\n", "mapping.txt")

    assert asked(source) == ("found", 1)
    assert len(server.asked) == requests


def test_an_upload_for_a_module_is_seen_and_so_is_its_deletion(asked, acme_project):
    upload(acme_project, PROGUARD, "mapping.txt")
    assert asked() == ("missing", 1)
    assert asked() == ("missing", 0)

    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert asked()[0] == "found"
    assert asked() == ("found", 0)

    services.delete_debug_file(project=acme_project, actor=SYSTEM, file_id=row.pk)
    assert asked() == ("missing", 1)


def test_the_better_file_is_taken_when_it_comes_later(asked, acme_project, server: WebServer):  # noqa: F811
    """A file that another source has does not hide the project's own."""
    serve_elf(server, LEDGER.read_bytes(), "libledger.so")
    source = http_source(server)
    upload(acme_project, PROGUARD, "mapping.txt")
    assert asked(source)[0] == "found"
    before = len(server.asked)
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    offered = project_files(access_to(acme_project)).offer(Wanted(ModuleType.ELF, code_id=LEDGER_CODE_ID))
    assert offered == str(row.pk)
    assert asked(source)[0] == "found"
    assert len(server.asked) == before


def test_many_modules_are_asked_about_at_once(acme_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    files = project_files(access_to(acme_project))
    ledger = Wanted(ModuleType.ELF, code_id=LEDGER_CODE_ID, debug_id=DebugId.parse(LEDGER_DEBUG_ID))
    with CaptureQueriesContext(connection) as queries:
        files.learn([ledger, *OTHERS, Wanted(ModuleType.ELF)])
        assert [files.offer(each) for each in (ledger, *OTHERS)] == [str(row.pk), *[""] * len(OTHERS)]
        assert [int(place.path) for _, place in files.locate(ledger, tuple(FileType))] == [row.pk]
    assert len(queries) == 1


def test_more_modules_than_one_statement_takes_are_asked_about_too(acme_project, monkeypatch):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    monkeypatch.setattr(listed, "_AT_ONCE", 7)
    files = project_files(access_to(acme_project))
    ledger = Wanted(ModuleType.ELF, code_id=LEDGER_CODE_ID)
    files.learn([*OTHERS, ledger])
    with CaptureQueriesContext(connection) as queries:
        assert [files.offer(each) for each in (*OTHERS, ledger)] == [*[""] * len(OTHERS), str(row.pk)]
    assert len(queries) == 0


def test_a_database_that_is_away_is_no_absence_and_not_remembered(asked, acme_project, monkeypatch):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")

    def away(*_: Any) -> Any:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(listed, "all_rows", away)
        assert asked()[0] == "other"
    assert asked()[0] == "found"
    assert DebugFile.objects.count() == 1


def test_each_revision_of_each_project_is_asked_about(acme_project, umbrella_project):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    upload(umbrella_project, PROGUARD, "mapping.txt")
    ledger = Wanted(ModuleType.ELF, code_id=LEDGER_CODE_ID)
    ours, theirs = (project_files(access_to(project)) for project in (acme_project, umbrella_project))
    assert (ours.revision, ours.offer(ledger)) == (theirs.revision, str(row.pk))
    assert theirs.offer(ledger) == ""
