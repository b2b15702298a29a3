"""Stores of blobs: the same behaviour for a directory and for a bucket, and what only one of them can get wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import time
import tracemalloc
from contextlib import ExitStack
from uuid import uuid4

import boto3
import pytest
from gcp_storage_emulator.server import create_server
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from core.blobs import (
    BadBlobStore,
    BlobMissing,
    BlobTooLarge,
    StoreFull,
    StoreUnavailable,
    content_key,
    open_store,
    own_key,
)
from core.blobs import s3 as s3_module
from engine.errors import DeadlineExceeded
from engine.outgoing import Deadline
from tests.engine.sourcetypes.asking import free_port
from tests.engine.webserver import reply, web_server

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def moto_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="module")
def bucket(moto_url):
    client = boto3.client(
        "s3", endpoint_url=moto_url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="uploads")
    return client


@pytest.fixture(scope="module")
def gcs_url():
    server = create_server("127.0.0.1", port := free_port(), in_memory=True, default_bucket="uploads")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["directory", "s3", "gcs"])
def store(request, tmp_path):
    if request.param == "directory":
        return open_store(str(tmp_path / "blobs"), "", "", tmp_path)
    if request.param == "gcs":
        url = request.getfixturevalue("gcs_url")
        return open_store(f"gs://uploads/{uuid4().hex}?endpoint={url}", "", "", tmp_path)
    request.getfixturevalue("bucket")
    url = request.getfixturevalue("moto_url")
    return open_store(f"s3://uploads/{uuid4().hex}?endpoint={url}", "a", "b", tmp_path)


def put(store, content, key=None, limit=1 << 40):
    with store.incoming(limit) as incoming:
        for start in range(0, len(content), 1000):
            incoming.write(content[start : start + 1000])
        digests = incoming.finish()
        key = key or content_key(digests.sha256)
        store.keep(incoming, key)
    return key, digests


def test_a_sha1_that_is_not_asked_for_is_not_taken(store):
    with store.incoming(10, sha1=False) as incoming:
        incoming.write(b"content")
        digests = incoming.finish()
    assert (digests.sha1, digests.sha256) == ("", hashlib.sha256(b"content").hexdigest())


def test_what_is_kept_is_what_came_in_under_its_own_digests(store):
    content = random.Random(1).randbytes(300_000)

    key, digests = put(store, content)

    assert b"".join(store.pieces(key)) == content
    assert store.size(key) == digests.size == len(content)
    assert digests.sha1 == hashlib.sha1(content).hexdigest()
    assert digests.sha256 == hashlib.sha256(content).hexdigest()
    assert store.exists(key)


@pytest.mark.parametrize(
    ("start", "size", "expected"),
    [(0, None, b"0123456789"), (3, None, b"3456789"), (3, 4, b"3456"), (8, 100, b"89"), (10, 5, b""), (2, 0, b"")],
)
def test_a_range_is_read_from_where_it_begins_to_where_the_content_ends(store, start, size, expected):
    key, _ = put(store, b"0123456789")

    assert b"".join(store.pieces(key, start, size)) == expected


def test_nothing_is_there_before_and_after(store):
    key, _ = put(store, b"content")
    store.delete(key)
    store.delete(key)

    assert not store.exists(key)
    with pytest.raises(BlobMissing):
        store.size(key)
    with pytest.raises(BlobMissing):
        list(store.pieces(key))


# The emulator of GCS fails at an empty body.
@pytest.mark.parametrize("store", ["directory", "s3"], indirect=True)
def test_an_empty_blob_is_one(store):
    key, _ = put(store, b"", own_key("attachments"))

    assert store.size(key) == 0
    assert b"".join(store.pieces(key)) == b""


def test_keeping_again_replaces(store):
    key, _ = put(store, b"before")
    put(store, b"and after", key)

    assert b"".join(store.pieces(key)) == b"and after"


def test_what_is_not_kept_leaves_nothing_behind(store, tmp_path):
    with store.incoming(100) as incoming:
        incoming.write(b"content")
        path = incoming.path
        assert path.exists()

    assert not path.exists()


def test_more_than_the_limit_is_refused_and_leaves_nothing_behind(store):
    with store.incoming(10) as incoming:
        incoming.write(b"0123456789")
        with pytest.raises(BlobTooLarge) as refused:
            incoming.write(b"!")

    assert refused.value.status == 413
    assert not incoming.path.exists()


def test_large_content_is_never_in_memory(store, monkeypatch):
    monkeypatch.setattr(s3_module, "_PART_BYTES", 5 * MEGABYTE)
    piece = random.Random(2).randbytes(MEGABYTE)
    tracemalloc.start()
    try:
        with store.incoming(1 << 40) as incoming:
            for _ in range(24):
                incoming.write(piece)
            key = content_key(incoming.finish().sha256)
            if store.local_path.__qualname__.startswith("LocalStore"):
                store.keep(incoming, key)
                assert sum(map(len, store.pieces(key))) == 24 * MEGABYTE
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_content_in_several_parts_comes_back_whole(bucket, moto_url, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_module, "_PART_BYTES", 5 * MEGABYTE)
    store = open_store(f"s3://uploads/parts?endpoint={moto_url}", "a", "b", tmp_path)
    content = random.Random(3).randbytes(11 * MEGABYTE + 7)

    key, _ = put(store, content)

    head = bucket.head_object(Bucket="uploads", Key=f"parts/{key}")
    assert head["ETag"].endswith('-3"')
    assert b"".join(store.pieces(key)) == content


def test_only_a_directory_has_paths(store, tmp_path):
    key, _ = put(store, b"content")

    path = store.local_path(key)

    assert path is None or (path.is_relative_to(tmp_path / "blobs") and path.read_bytes() == b"content")


def test_reading_ends_with_the_deadline(store):
    key, _ = put(store, b"content")

    with pytest.raises(DeadlineExceeded):
        list(store.pieces(key, deadline=Deadline.after(0)))


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "", "a//b", "a/", "A/b", "a\0b", "a b", "a" * 300])
def test_a_key_that_none_of_ours_can_be_is_refused(store, key):
    for use in (store.size, store.exists, store.delete, store.local_path, lambda key: list(store.pieces(key))):
        with pytest.raises(ValueError, match="key"):
            use(key)


def test_own_keys_are_never_the_same():
    keys = {own_key("dumps") for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("dumps/") for key in keys)
    for room in ("content", "", "../x", "A"):
        with pytest.raises(ValueError, match="room"):
            own_key(room)


@given(st.text())
def test_no_text_but_a_digest_makes_a_content_key(text):
    try:
        assert content_key(text).replace("/", "") == f"content{text}"
    except ValueError:
        assert not (len(text) == 64 and set(text) <= set("0123456789abcdef"))


def test_a_store_that_is_not_reachable_says_so(tmp_path):
    store = open_store("s3://uploads?endpoint=http://127.0.0.1:1", "a", "b", tmp_path)
    with pytest.raises(StoreUnavailable) as failed:
        put(store, b"content")
    assert failed.value.status == 503
    with pytest.raises(StoreUnavailable):
        store.exists(content_key("0" * 64))


def test_a_bucket_that_does_not_exist_is_not_a_missing_file(bucket, moto_url, tmp_path):
    store = open_store(f"s3://nowhere?endpoint={moto_url}", "a", "b", tmp_path)
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        list(store.pieces(content_key("0" * 64)))


@pytest.mark.parametrize("key", [content_key("0" * 64), "crashes/00/aa"], ids=["shared", "own"])
def test_a_full_disk_is_told_from_a_broken_one(tmp_path, monkeypatch, key):
    store = open_store("", "", "", tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with store.incoming(10) as incoming:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreFull) as failed:
            store.keep(incoming, key)
    assert failed.value.status == 507
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_blob_survives_a_crash_after_it_was_kept(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd))[1])
    store = open_store("", "", "", tmp_path)

    key, _ = put(store, b"content")

    path = store.local_path(key)
    # The content first, then every directory in which a name is new.
    assert "/incoming/" in synced[0]
    assert {str(path.parent), str(path.parents[1]), str(path.parents[2])} <= set(synced)


def test_several_blobs_are_synced_before_they_have_names_and_their_directories_once(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(os.readlink(f"/proc/self/fd/{fd}")), fsync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda *paths: (events.append("named"), replace(*paths))[1])
    store = open_store("", "", "", tmp_path)

    with ExitStack() as stack:
        arrivals = []
        for number in range(3):
            incoming = stack.enter_context(store.incoming(100))
            incoming.write(b"%d" % number)
            arrivals.append((incoming, f"content/aa/{number}"))
        store.keep_all(arrivals)

    assert [b"".join(store.pieces(key)) for _, key in arrivals] == [b"0", b"1", b"2"]
    assert len({path for path in events[:3] if "/incoming/" in path}) == 3
    assert events[3:6] == ["named"] * 3
    assert sorted(events[6:]) == sorted(str(tmp_path / "blobs" / place) for place in (".", "content", "content/aa"))


def test_a_blob_of_one_thing_is_synced_under_its_name_and_then_named_for_good(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd))[1])
    store = open_store("", "", "", tmp_path)

    with store.incoming(10) as incoming:
        incoming.write(b"content")
        store.keep(incoming, "crashes/00/aa")

    path = store.local_path("crashes/00/aa")
    assert synced[:2] == [str(path), str(path.parent)]
    assert {str(path.parents[1]), str(path.parents[2])} <= set(synced)
    assert path.read_bytes() == b"content"


def test_a_spool_file_of_a_killed_process_is_swept_and_a_fresh_one_is_not(tmp_path):
    store = open_store("", "", "", tmp_path)
    with store.incoming(10) as fresh, store.incoming(10) as old:
        os.utime(old.path, (1, 1))
        assert store.sweep(time.time() - 3600) == 1
        assert fresh.path.exists()
        assert not old.path.exists()


@pytest.mark.parametrize(
    "text",
    ["ftp://bucket", "s3://", "s3:///prefix", "s3://b?regoin=x", "s3://b#f", "gs://b?region=x", "gs://", "az://b"],
)
def test_what_names_no_store_is_refused(text, tmp_path):
    with pytest.raises(BadBlobStore):
        open_store(text, "a", "b", tmp_path)


def test_a_bucket_of_google_needs_an_account(tmp_path):
    for keys in (("", ""), ("a@b", ""), ("", "key")):
        with pytest.raises(BadBlobStore, match="BLOB_STORE_ACCESS_KEY"):
            open_store("gs://bucket/prefix", *keys, tmp_path)
    assert "secret" not in repr(open_store("gs://bucket", "a@b", "secret", tmp_path))


@pytest.mark.parametrize(("status", "error"), [(404, BlobMissing), (403, StoreUnavailable), (500, StoreUnavailable)])
def test_what_google_answers_is_told_apart(tmp_path, status, error):
    with web_server() as server:
        server.default = reply(f"{status} Whatever")
        store = open_store(f"gs://bucket?endpoint={server.url}", "", "", tmp_path)
        key = own_key("attachments")
        with pytest.raises(error):
            store.size(key)
        with pytest.raises(error):
            list(store.pieces(key))


def stored(store, room, after=""):
    return [found.key for found in store.keys(room, after)]


def test_the_keys_of_a_room_come_in_order_with_their_times(store):
    began = time.time()
    keys = sorted(put(store, b"content", own_key("dumps"))[0] for _ in range(30))
    put(store, b"content", own_key("dumps-of-others"))
    put(store, b"content")

    listed = list(store.keys("dumps"))

    assert [found.key for found in listed] == keys
    # Some services tell whole seconds.
    assert all(began - 2 < found.modified < time.time() + 2 for found in listed)


def test_the_keys_go_on_behind_any_of_them(store):
    keys = sorted(put(store, b"content", own_key("dumps"))[0] for _ in range(10))
    store.delete(keys[4])

    assert stored(store, "dumps", keys[3]) == keys[5:]
    assert stored(store, "dumps", keys[4]) == keys[5:]
    assert stored(store, "dumps", keys[9]) == []
    assert stored(store, "dumps", "dumps/") == [*keys[:4], *keys[5:]]


def test_a_room_without_keys_has_none_and_what_is_no_room_is_refused(store):
    put(store, b"content", own_key("dumps"))

    assert stored(store, "attachments") == []
    for room in ("content", "", "../x", "dumps/ab"):
        with pytest.raises(ValueError, match="room"):
            list(store.keys(room))


def test_a_directory_walks_in_the_order_of_whole_keys(tmp_path):
    store = open_store("", "", "", tmp_path)
    keys = ["dumps/a", "dumps/a-b", "dumps/a/c", "dumps/a/d/e", "dumps/a0", "dumps/b"]
    for key in (key for key in keys if key != "dumps/a"):
        put(store, b"content", key)

    assert stored(store, "dumps") == keys[1:]
    for number, key in enumerate(keys):
        assert stored(store, "dumps", key) == keys[max(1, number + 1) :]


def test_the_keys_of_a_bucket_come_page_after_page(bucket, moto_url, tmp_path, monkeypatch):
    monkeypatch.setattr(s3_module, "_PAGE", 3)
    store = open_store(f"s3://uploads/pages?endpoint={moto_url}", "a", "b", tmp_path)
    keys = [f"dumps/{number}" for number in range(8)]
    for key in keys:
        bucket.put_object(Bucket="uploads", Key=f"pages/{key}", Body=b"x")

    assert stored(store, "dumps") == keys
    assert stored(store, "dumps", keys[5]) == keys[6:]


def test_google_is_asked_for_the_pages_that_it_names(tmp_path):
    def page(names, token=None):
        items = [{"name": f"in/{name}", "updated": "2026-01-02T03:04:05.678Z"} for name in names]
        return reply("200 OK", body=json.dumps({"items": items} | ({"nextPageToken": token} if token else {})).encode())

    with web_server() as server:
        store = open_store(f"gs://bucket/in?endpoint={server.url}", "", "", tmp_path)
        pages = iter([page(["dumps/a", "dumps/b"], "n/x="), page(["dumps/c"])])
        server.default = lambda *asked: next(pages)(*asked)  # noqa: PLW0108 - another page each time
        listed = list(store.keys("dumps", "dumps/a"))

        assert [(found.key, found.modified) for found in listed] == [
            ("dumps/b", 1767323045.678),
            ("dumps/c", 1767323045.678),
        ]
        first, second = server.paths
        assert "prefix=in%2Fdumps%2F" in first
        assert "startOffset=in%2Fdumps%2Fa" in first
        assert "pageToken=n%2Fx%3D" in second


@pytest.mark.parametrize("body", [b"{", b'{"items":[{"name":1}]}'], ids=["no JSON", "no names"])
def test_a_list_that_google_does_not_write_is_no_empty_one(tmp_path, body):
    with web_server() as server:
        server.default = reply("200 OK", body=body)
        store = open_store(f"gs://bucket?endpoint={server.url}", "", "", tmp_path)
        with pytest.raises(StoreUnavailable):
            list(store.keys("dumps"))


def test_a_store_that_is_not_reachable_lists_nothing_and_says_so(tmp_path):
    store = open_store("s3://uploads?endpoint=http://127.0.0.1:1", "a", "b", tmp_path)
    with pytest.raises(StoreUnavailable):
        list(store.keys("dumps"))
