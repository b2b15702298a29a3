"""Contents: stored once, kept while something refers to them, gone a day after."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.blobs import BlobError, blob_store
from debugfiles import contents, services, tasks
from debugfiles.contents import delete_unused, keep_content
from debugfiles.models import Blob, DebugFile
from projects.access import SYSTEM
from tests.debugfiles.uploading import APP, PROGUARD, access_to, bundle_of, incoming, upload, upload_bundle, upload_file


def kept(content):
    with incoming(content, "file") as made:
        return keep_content(made.incoming)


def age(days=2):
    Blob.objects.update(last_used=timezone.now() - timedelta(days=days))


@pytest.mark.django_db
def test_content_that_nothing_refers_to_goes_after_a_day_and_not_before():
    blob = kept(b"content")
    assert delete_unused() == 0
    assert blob_store().exists(blob.key)

    age()
    assert delete_unused() == 1
    assert not blob_store().exists(blob.key)
    assert not Blob.objects.exists()


@pytest.mark.django_db
def test_content_that_something_refers_to_stays(acme_project):
    upload(acme_project, PROGUARD, "mapping.txt")
    upload_bundle(acme_project, bundle_of(APP))
    upload_file(acme_project, "1.0", "~/app.js")
    age()

    assert delete_unused() == 0
    assert Blob.objects.count() == 3


@pytest.mark.django_db
def test_the_sweep_takes_what_is_left_when_a_file_was_deleted(acme_project):
    (row,) = upload(acme_project, PROGUARD, "mapping.txt")
    services.delete_debug_file(project=acme_project, actor=SYSTEM, file_id=row.pk)
    age()

    tasks.sweep_contents.func(0)

    assert not Blob.objects.exists()


@pytest.mark.django_db
def test_a_claim_starts_the_day_anew():
    kept(b"content")
    age()
    again = kept(b"content")

    assert delete_unused() == 0
    assert b"".join(blob_store().pieces(again.key)) == b"content"


@pytest.mark.django_db
def test_a_content_that_could_not_be_written_is_not_taken_for_stored(monkeypatch):
    store = blob_store()

    def fail(*_):
        raise BlobError("no")

    with monkeypatch.context() as broken:
        broken.setattr(type(store), "keep_all", fail)
        with pytest.raises(BlobError):
            kept(b"content")
    assert Blob.objects.get().state == Blob.WRITING

    assert kept(b"content").key == Blob.objects.get().key
    assert Blob.objects.get().state == Blob.STORED
    assert store.exists(Blob.objects.get().key)


@pytest.mark.django_db(transaction=True)
def test_whoever_claims_what_is_being_deleted_writes_it_anew(acme_project):
    blob = kept(PROGUARD)
    age()
    deleting, claimed = threading.Event(), threading.Event()

    def claim():
        try:
            deleting.wait(10)
            upload(acme_project, PROGUARD, "mapping.txt")
        finally:
            claimed.set()
            connection.close()

    thread = threading.Thread(target=claim, daemon=True)
    thread.start()
    with transaction.atomic():
        row = Blob.objects.select_for_update().get(pk=blob.pk)
        deleting.set()
        # The claim waits for this transaction; it must not believe the content that goes with it.
        assert not claimed.wait(0.5)
        blob_store().delete(row.key)
        row.delete()
    thread.join(10)

    file = DebugFile.objects.select_related("blob").get()
    assert b"".join(blob_store().pieces(file.blob.key)) == PROGUARD


@pytest.mark.django_db(transaction=True)
def test_four_uploads_of_one_file_at_once_are_one_file(acme_project):
    failures = []

    def work():
        try:
            upload(acme_project, PROGUARD, "mapping.txt")
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert not failures
    assert (Blob.objects.count(), DebugFile.objects.count()) == (1, 1)
    assert access_to(acme_project).project.files_revision == 1


@pytest.mark.django_db
def test_a_row_that_another_transaction_holds_is_left_for_the_next_sweep(monkeypatch):
    kept(b"content")
    age()
    monkeypatch.setattr(contents, "_unused", lambda cutoff: Blob.objects.none())
    assert delete_unused() == 0
