"""Large files: assembled by a worker, through kills, lost jobs and failures that pass."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core import background
from core.blobs import StoreUnavailable
from debugfiles.models import ArtifactBundle, DebugFile
from debugfiles.protocol import assemblies, work
from debugfiles.protocol.models import Assembly, Chunk
from debugfiles.protocol.tasks import UPLOADS
from projects.models import ApiToken, AuditEntry
from tests.cast import Api, make_token
from tests.debugfiles.protocol.sending import BUNDLES, assemble, cut, send_chunks, send_debug_file, wanted_bundle
from tests.debugfiles.uploading import APP, PROGUARD, bundle_of

pytestmark = pytest.mark.django_db

UUID = "12345678-1234-4234-8234-123456789abc"


@pytest.fixture
def api(acme, acme_project):
    return Api(make_token(acme))


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch):
    monkeypatch.setattr(assemblies, "AT_ONCE_BYTES", 0)


def started(api, content=PROGUARD, name=f"/proguard/{UUID}.txt"):
    assert send_debug_file(api, content, name)["state"] == "assembling"
    return Assembly.objects.get()


def state(api, content=PROGUARD, name=f"/proguard/{UUID}.txt"):
    return assemble(api, content, name)


@pytest.mark.django_db(transaction=True)
def test_a_worker_assembles_what_a_request_asked_for(api, acme_project):
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    started(api)
    assert state(api)["state"] == "assembling"
    background.run_waiting([UPLOADS])

    done = state(api)
    assert (done["state"], done["dif"]["debugId"]) == ("ok", UUID)
    assert DebugFile.objects.get(project=acme_project).debug_id == UUID
    entry = AuditEntry.objects.get(action="debug_file.uploaded")
    assert entry.token_prefix == ApiToken.objects.get().prefix


def test_a_bundle_is_assembled_too(api, acme_project):
    content = bundle_of(APP)
    body = wanted_bundle(content, version="1.0", dist="7")
    send_chunks(api, *cut(content))
    assert api.post(BUNDLES, body).json()["state"] == "assembling"
    work.work(Assembly.objects.get().pk)

    assert api.post(BUNDLES, body).json() == {"state": "ok", "missingChunks": [], "detail": None}
    bundle = ArtifactBundle.objects.get()
    assert (bundle.release, bundle.dist, list(bundle.projects.all())) == ("1.0", "7", [acme_project])


def test_while_it_is_worked_on_nothing_is_missing_again(api, acme):
    row = started(api)

    Chunk.objects.all().delete()
    for name in (Assembly.WAITING, Assembly.RUNNING):
        Assembly.objects.update(state=name)
        assert state(api)["state"] == "assembling"
    Assembly.objects.update(state=Assembly.WAITING)
    work.work(row.pk)
    assert "Upload the file again" in state(api)["detail"]


def test_a_failure_is_told_to_whoever_polls_and_tried_again_for_others(api):
    row = started(api, b"nothing of use", "notes.txt")
    work.work(row.pk)
    told = state(api, b"nothing of use", "notes.txt")
    assert (told["state"], "notes.txt" in told["detail"]) == ("error", True)

    Assembly.objects.update(finished_at=timezone.now() - timedelta(minutes=2))
    assert state(api, b"nothing of use", "notes.txt")["state"] == "assembling"
    assert Assembly.objects.get().attempt == 0


def test_only_one_works_on_it(api):
    row = started(api)
    Assembly.objects.update(
        state=Assembly.RUNNING, lease_token=UUID, lease_until=timezone.now() + timedelta(seconds=20)
    )
    work.work(row.pk)
    assert not DebugFile.objects.exists()
    assert work.sweep() == 0


def test_a_killed_worker_is_followed_by_another(api):
    row = started(api)
    Assembly.objects.update(
        state=Assembly.RUNNING, attempt=1, lease_token=UUID, lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert state(api)["state"] == "assembling"
    assert work.sweep() == 1
    work.work(row.pk)
    assert state(api)["state"] == "ok"
    assert Assembly.objects.get().attempt == 2


def test_what_kills_every_worker_is_given_up(api):
    started(api)
    Assembly.objects.update(
        state=Assembly.RUNNING, attempt=3, lease_token=UUID, lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert work.sweep() == 1
    told = state(api)
    assert (told["state"], "3 attempts" in told["detail"]) == ("error", True)


def test_a_lost_job_is_made_up_for(api):
    started(api)
    assert work.sweep() == 0
    Assembly.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert work.sweep() == 1


def test_a_failure_that_passes_is_tried_three_times(api, monkeypatch):
    row = started(api)

    def unavailable(*_arguments):
        raise StoreUnavailable("The store of files does not answer.")

    monkeypatch.setattr(work, "assemble", unavailable)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            work.work(row.pk)
        assert state(api)["state"] == "assembling"
    work.work(row.pk)
    assert "does not answer" in state(api)["detail"]


def test_who_lost_the_lease_changes_nothing(api, monkeypatch):
    row = started(api)

    def taken_over(*arguments):
        Assembly.objects.update(lease_token=UUID, lease_until=timezone.now() + timedelta(seconds=20))
        return assembled(*arguments)

    assembled = work.assemble
    monkeypatch.setattr(work, "assemble", taken_over)
    work.work(row.pk)
    row.refresh_from_db()
    assert (row.state, str(row.lease_token)) == (Assembly.RUNNING, UUID)
    assert row.lease_until > timezone.now()


def test_a_lease_is_renewed_while_it_is_worked(api, monkeypatch):
    row = started(api)
    renewed = []
    monkeypatch.setattr(work, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(work, "_held", lambda *_args: renewed.append(1) or Assembly.objects.none())
    with work._lease(work._take(row.pk)):
        time.sleep(0.2)
    assert len(renewed) > 2


def test_a_project_that_is_deleted_meanwhile_is_an_error(api, acme_project):
    row = started(api)
    acme_project.delete()
    work.work(row.pk)
    row.refresh_from_db()
    assert (row.state, "does not exist" in row.detail) == (Assembly.FAILED, True)


def test_what_ended_long_ago_is_forgotten(api):
    row = started(api)
    work.work(row.pk)
    assert work.delete_finished() == 0
    Assembly.objects.update(finished_at=timezone.now() - timedelta(days=2))
    assert work.delete_finished() == 1
    assert state(api)["state"] == "ok"
