"""Deleting crashes: what goes with them, what stays, what becomes of it when somebody is killed or comes between."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from core.blobs import BlobMissing, StoreUnavailable, blob_store
from crashes.again.lacks import Lack
from crashes.answers import Refusal
from crashes.models import Attachment, Crash, CrashLack, CrashResult, DoomedBlob, Group, LackedFile
from crashes.processing import working
from crashes.processing.claims import claim
from crashes.reports import Facts, Outcome
from crashes.results import Result
from crashes.retention import deleting
from crashes.retention.deleting import delete_crashes, delete_doomed
from projects.access import SYSTEM
from projects.models import AuditEntry
from tests.cast import make_organization, make_project
from tests.crashes.stored import add_attachment, add_result, attach_late, make_crash, make_group, submit


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Runs what the transactions of a block leave for after their commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def rich_crash(project):
    crash = make_crash(project, group=make_group(project, count=7))
    add_attachment(crash)
    add_result(crash, Result(platform="native"))
    file = LackedFile.objects.create(project=project, kind="debug_file", key="k")
    CrashLack.objects.create(crash=crash, file=file)
    return crash


def stored(*keys):
    return [blob_store().exists(key) for key in keys]


@pytest.mark.django_db
def test_a_crash_goes_with_its_blobs_and_its_group_keeps_the_count(acme_project, committed):
    crash, other = rich_crash(acme_project), make_crash(acme_project)
    keys = [crash.blob_key, crash.attachments.get().blob_key]

    with committed():
        assert delete_crashes(project=acme_project, crash_ids=[crash.pk, crash.pk], actor=SYSTEM) == 1

    assert list(Crash.objects.all()) == [other]
    assert not Attachment.objects.exists()
    assert not CrashResult.objects.exists()
    assert not CrashLack.objects.exists()
    assert Group.objects.get().count == 7
    assert stored(*keys, other.blob_key) == [False, False, True]
    assert not DoomedBlob.objects.exists()
    entry = AuditEntry.objects.get(action="crash.deleted")
    assert (entry.target, entry.data) == (crash.rxid, {"count": 1, "crashes": [crash.rxid]})


@pytest.mark.django_db
def test_crashes_of_another_project_and_unknown_ones_are_left_alone(acme, acme_project, umbrella_project):
    theirs = [make_crash(make_project(acme, "other")), make_crash(umbrella_project)]

    assert delete_crashes(project=acme_project, crash_ids=[*(one.pk for one in theirs), 12345678], actor=SYSTEM) == 0

    assert Crash.objects.count() == 2
    assert not AuditEntry.objects.filter(action="crash.deleted").exists()


@pytest.mark.django_db
def test_many_crashes_go_in_windows_and_their_blobs_by_a_job(acme_project, committed, monkeypatch):
    monkeypatch.setattr(deleting, "WINDOW", 2)
    monkeypatch.setattr(deleting, "_AT_ONCE", 1)
    crashes = [make_crash(acme_project) for _ in range(5)]

    with committed():
        assert delete_crashes(project=acme_project, crash_ids=[one.pk for one in crashes], actor=SYSTEM) == 5

    assert sorted(entry.data["count"] for entry in AuditEntry.objects.filter(action="crash.deleted")) == [1, 2, 2]
    # The last window is small enough to go at once.
    assert DoomedBlob.objects.count() == 4
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs")
        assert cursor.fetchall() == [("crashes.retention.tasks.empty",)]
    assert [delete_doomed(3), delete_doomed(3), delete_doomed(3)] == [3, 1, 0]
    assert stored(*(one.blob_key for one in crashes)) == [False] * 5


@pytest.mark.django_db
def test_a_transaction_that_fails_deletes_nothing(acme_project, committed):
    crash = rich_crash(acme_project)

    def fail():
        with transaction.atomic():
            delete_crashes(project=acme_project, crash_ids=[crash.pk], actor=SYSTEM)
            raise RuntimeError

    with committed(), pytest.raises(RuntimeError):
        fail()

    assert Crash.objects.get() == crash
    assert stored(crash.blob_key, crash.attachments.get().blob_key) == [True, True]
    assert not DoomedBlob.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("deleted", [0, 1, 2], ids=["before the first", "after the first", "after the last"])
def test_a_kill_among_the_blobs_leaves_the_rest_to_the_sweep(acme_project, committed, monkeypatch, deleted):
    crash = rich_crash(acme_project)
    keys = [crash.blob_key, crash.attachments.get().blob_key]
    store = blob_store()
    real, calls = store.delete, []

    class Killed(BaseException):
        """What no handler stops."""

    def delete(key):
        if len(calls) == deleted:
            raise Killed
        calls.append(key)
        real(key)
        if len(calls) == deleted == len(keys):
            raise Killed

    monkeypatch.setattr(store, "delete", delete)
    with pytest.raises(Killed), committed():
        delete_crashes(project=acme_project, crash_ids=[crash.pk], actor=SYSTEM)
    monkeypatch.undo()
    assert not Crash.objects.exists()
    # Whoever finds the rest deletes again what is gone already.
    assert DoomedBlob.objects.count() == max(1, 2 - deleted)

    delete_doomed()

    assert stored(*keys) == [False, False]
    assert not DoomedBlob.objects.exists()


@pytest.mark.django_db
def test_without_a_store_the_rows_go_and_the_blobs_follow_when_it_is_back(acme_project, committed, monkeypatch):
    crash = make_crash(acme_project)
    store = blob_store()

    def unavailable(_key):
        raise StoreUnavailable("away")

    monkeypatch.setattr(store, "delete", unavailable)
    with committed():
        assert delete_crashes(project=acme_project, crash_ids=[crash.pk], actor=SYSTEM) == 1
    assert DoomedBlob.objects.count() == 1
    with pytest.raises(StoreUnavailable):
        delete_doomed()
    monkeypatch.undo()

    assert stored(crash.blob_key) == [True]
    assert delete_doomed() == 1
    assert stored(crash.blob_key) == [False]


def in_thread(function, *arguments):
    """Runs beside the test, with a connection of its own."""

    def run():
        try:
            return function(*arguments)
        finally:
            connections.close_all()

    return ThreadPoolExecutor(1).submit(run)


def wait_for_a_lock():
    """Returns when some connection of this database waits for another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return


@pytest.fixture
def project(transactional_db):
    return make_project(make_organization())


@pytest.mark.parametrize("step", ["rows", "blob", "done"])
def test_an_equal_dump_that_arrives_while_one_is_deleted_is_kept(project, monkeypatch, step):
    content = b"MDMP of both"
    old = submit(project, content)
    store = blob_store()
    reached, go_on = threading.Event(), threading.Event()
    real_delete, real_doom = store.delete, deleting.doom

    def hold(name):
        if name == step:
            reached.set()
            assert go_on.wait(20)

    def doom(keys):
        real_doom(keys)
        hold("rows")

    def delete(key):
        hold("blob")
        real_delete(key)
        hold("done")

    monkeypatch.setattr(deleting, "doom", doom)
    monkeypatch.setattr(store, "delete", delete)
    deletion = in_thread(lambda: delete_crashes(project=project, crash_ids=[old.pk], actor=SYSTEM))
    assert reached.wait(20)
    new = submit(project, content)
    go_on.set()

    assert deletion.result(20) == 1
    assert new.sha256 == old.sha256
    assert new.blob_key != old.blob_key
    assert list(Crash.objects.all()) == [new]
    assert b"".join(store.pieces(new.blob_key)) == content
    assert stored(old.blob_key) == [False]


def test_a_late_attachment_that_waits_for_the_deletion_is_refused_and_leaves_nothing(project, monkeypatch):
    crash = make_crash(project)
    deleted, go_on = threading.Event(), threading.Event()
    real = deleting.doom

    def doom(keys):
        real(keys)
        deleted.set()
        assert go_on.wait(20)

    monkeypatch.setattr(deleting, "doom", doom)
    deletion = in_thread(lambda: delete_crashes(project=project, crash_ids=[crash.pk], actor=SYSTEM))
    assert deleted.wait(20)
    before = {found.key for found in blob_store().keys("crashes")}
    attaching = in_thread(attach_late, crash, b"late")
    wait_for_a_lock()
    go_on.set()

    assert deletion.result(20) == 1
    with pytest.raises(Refusal) as refused:
        attaching.result(20)
    assert refused.value.status == 400
    assert not Attachment.objects.exists()
    assert {found.key for found in blob_store().keys("crashes")} < before


def test_a_late_attachment_that_is_first_goes_with_the_crash(project, monkeypatch):
    crash = make_crash(project)
    saved, go_on = threading.Event(), threading.Event()
    real = Attachment.save

    def save(self, *arguments, **named):
        real(self, *arguments, **named)
        saved.set()
        assert go_on.wait(20)

    monkeypatch.setattr(Attachment, "save", save)
    attaching = in_thread(attach_late, crash, b"late")
    assert saved.wait(20)
    deletion = in_thread(lambda: delete_crashes(project=project, crash_ids=[crash.pk], actor=SYSTEM))
    wait_for_a_lock()
    go_on.set()

    late = attaching.result(20)
    assert deletion.result(20) == 1
    assert not Attachment.objects.exists()
    assert stored(crash.blob_key, late.blob_key) == [False, False]


@pytest.mark.django_db
@pytest.mark.parametrize("ends", ["well", "badly"])
def test_a_crash_that_is_deleted_while_it_is_processed_stays_deleted(acme_project, monkeypatch, ends):
    crash = make_crash(acme_project, state=Crash.State.PENDING)

    def examine(given, _deadline):
        assert delete_crashes(project=acme_project, crash_ids=[given.pk], actor=SYSTEM) == 1
        if ends == "badly":
            raise BlobMissing
        file = Lack(kind="debug_file", name="app", debug_id="", debug_uuid=None, code_id="c0de", release="", dist="")
        return Outcome(Result(platform="native"), Facts(platform="native"), (file,))

    monkeypatch.setattr(working, "examine", examine)
    claimed = claim()
    assert claimed is not None
    assert claimed.crash_id == crash.pk

    working.process(claimed)

    for model in (Crash, CrashResult, CrashLack, LackedFile, Group):
        assert not model.objects.exists()
