"""Those who wait for files are told in the transaction that stores them, once, and of nothing that was there."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

from debugfiles.arrivals import ArrivalKind, Arrived, ArrivedIds, forget_listener, ids_of, on_arrival
from debugfiles.models import DebugFile
from engine.modules import DebugId
from tests.cast import make_project
from tests.debugfiles.uploading import (
    APP,
    DEBUG_ID,
    LEDGER,
    LEDGER_CODE_ID,
    LEDGER_DEBUG_ID,
    PROGUARD,
    bundle_of,
    upload,
    upload_bundle,
    upload_file,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def arrivals():
    heard = []

    def listen(arrived):
        assert connection.in_atomic_block
        heard.append(arrived)

    on_arrival(listen)
    on_arrival(listen)
    yield heard
    forget_listener(listen)


def test_a_debug_file_is_announced_once_with_its_rows(acme_project, arrivals):
    rows = upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")

    assert arrivals == [Arrived(acme_project.pk, ArrivalKind.DEBUG_FILES, (rows[0].pk,))]
    assert ids_of(arrivals[0]) == ArrivedIds(
        frozenset({DebugId.parse(LEDGER_DEBUG_ID).uuid}), frozenset({LEDGER_CODE_ID})
    )


def test_what_went_meanwhile_adds_no_ids(acme_project, arrivals):
    upload(acme_project, PROGUARD, "mapping.txt")
    upload_file(acme_project, "1.0", "~/a.js")
    upload_bundle(acme_project, bundle_of(APP))
    for model in (DebugFile, type(upload_file(acme_project, "2.0", "~/a.js"))):
        model.objects.all().delete()
    acme_project.artifact_bundles.clear()

    assert [ids_of(arrived) for arrived in arrivals] == [ArrivedIds()] * 4


def test_a_bundle_is_announced_to_each_project_that_it_is_new_to(acme, acme_project, arrivals):
    other = make_project(acme, "other")
    bundle = upload_bundle(acme_project, bundle_of(APP), "1.0", "7")
    upload_bundle(acme_project, bundle_of(APP), "1.0", "7", projects=[other])

    assert arrivals == [
        Arrived(project.pk, ArrivalKind.ARTIFACT_BUNDLE, (bundle.pk,)) for project in (acme_project, other)
    ]
    assert ids_of(arrivals[1]) == ArrivedIds(frozenset({UUID(DEBUG_ID)}), release="1.0", dist="7")


def test_a_release_file_is_announced_whenever_it_is_replaced(acme_project, arrivals):
    first = upload_file(acme_project, "1.0", "~/a.js", dist="7")
    second = upload_file(acme_project, "1.0", "~/a.js", b"other", dist="7")

    assert [arrived.row_ids for arrived in arrivals] == [(first.pk,), (second.pk,)]
    assert ids_of(arrivals[1]) == ArrivedIds(release="1.0", dist="7")


def test_a_listener_that_fails_undoes_the_upload(acme_project):
    def fail(_arrived):
        raise LookupError("no")

    on_arrival(fail)
    try:
        with pytest.raises(LookupError):
            upload(acme_project, PROGUARD, "mapping.txt")
    finally:
        forget_listener(fail)
    assert not DebugFile.objects.exists()
