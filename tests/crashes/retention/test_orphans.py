"""Blobs that no row names."""

from __future__ import annotations

import os
import time

import boto3
import pytest
from moto.server import ThreadedMotoServer

from core.blobs import content_key, open_store, own_key
from crashes.models import DoomedBlob
from crashes.retention import orphans, tasks
from crashes.retention.orphans import sweep_orphans
from tests.crashes.stored import add_attachment, keep, make_crash

pytestmark = pytest.mark.django_db

TWO_DAYS_ON = time.time() + 2 * 86_400


@pytest.fixture
def bucket_store(tmp_path):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="orphans")
    yield open_store(f"s3://orphans/x?endpoint={url}", "a", "b", tmp_path)
    server.stop()


@pytest.fixture(params=["directory", "s3"])
def store(request, tmp_path, monkeypatch):
    if request.param == "s3":
        made = request.getfixturevalue("bucket_store")
    else:
        made = open_store(str(tmp_path / "blobs"), "", "", tmp_path)
    monkeypatch.setattr("tests.crashes.stored.blob_store", lambda: made)
    monkeypatch.setattr("crashes.retention.orphans.blob_store", lambda: made)
    return made


def keys(store):
    return {found.key for found in store.keys("crashes")}


def test_a_blob_without_a_row_goes_after_a_day_and_others_stay(store, acme_project):
    crash = make_crash(acme_project)
    attachment, doomed, unnamed = add_attachment(crash), keep(b"doomed"), keep(b"unnamed")
    DoomedBlob.objects.create(key=doomed)

    assert sweep_orphans() == ""
    assert len(keys(store)) == 4
    assert sweep_orphans(now=TWO_DAYS_ON) == ""

    assert keys(store) == {crash.blob_key, attachment.blob_key, doomed}
    assert not store.exists(unnamed)


@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_a_sweep_goes_on_where_the_last_one_ended(store, acme_project, monkeypatch):
    monkeypatch.setattr(orphans, "BATCH", 3)
    named = {make_crash(acme_project).blob_key for _ in range(5)}
    for _ in range(6):
        keep(b"unnamed")
    every = sorted(keys(store))

    last = sweep_orphans(now=TWO_DAYS_ON, batches=2)
    assert last == every[5]
    assert keys(store) == named | set(every[6:])
    last = sweep_orphans(last, now=TWO_DAYS_ON, batches=2)

    assert last == ""
    assert keys(store) == named


@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_the_job_puts_its_next_part_into_the_queue(store, monkeypatch):
    parts = iter(["crashes/ab", ""])
    deferred = []
    monkeypatch.setattr(tasks, "sweep_orphans", lambda after: next(parts))
    monkeypatch.setattr(tasks, "defer", lambda task, **ids: deferred.append(ids))

    tasks.orphans(after="")
    tasks.orphans(after="crashes/ab")

    assert deferred == [{"after": "crashes/ab"}]


@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_other_rooms_and_contents_are_none_of_its_business(store):
    others = [own_key("crashes-of-others"), content_key("a" * 64)]
    for key in others:
        with store.incoming(10) as incoming:
            incoming.write(b"x")
            store.keep(incoming, key)
        os.utime(store.local_path(key), (1, 1))

    sweep_orphans(now=TWO_DAYS_ON)

    assert all(store.exists(key) for key in others)
