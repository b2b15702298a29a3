"""Several hosts with one cache between them: what it saves, and everything that must not matter."""

from __future__ import annotations

import io
import threading
import time

import boto3
import pytest
import requests
from gcp_storage_emulator.server import create_server
from moto.server import ThreadedMotoServer

from engine.caches import Selection, SharedCache
from engine.caches import shared as shared_module
from engine.caches.shelters import GcsShelter, S3Shelter
from engine.errors import FailureKind, LookupFailure
from engine.lookup import ModuleStatus, Store, find_cficache
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.outgoing.amazon import S3Access
from engine.outgoing.google import READ_AND_WRITE, GoogleAccess
from tests.engine.lookup.conftest import LEDGER_PATH, look, make_source
from tests.engine.shared_fixtures import shared
from tests.engine.sourcetypes.asking import free_port
from tests.engine.webserver import hang, reply, web_server


class Shelf:
    """A bucket in memory."""

    def __init__(self):
        self.files = {}
        self.asked = []

    def get(self, name, target, deadline):
        self.asked.append(name)
        if name not in self.files:
            raise LookupFailure(FailureKind.NOT_FOUND)
        target.write(self.files[name])

    def put(self, name, source, size, deadline):
        self.files[name] = source.read()
        assert len(self.files[name]) == size


@pytest.fixture
def host(tmp_path):
    """Makes hosts: a cache directory each, and a shared cache in the given bucket."""
    made = []

    def make(shelter):
        place = tmp_path / f"host{len(made)}"
        made.append(Store(place, shared=SharedCache(shelter, place / "spool")))
        return made[-1]

    yield make
    for store in made:
        if store.converter._own is not None:
            store.converter._own.kill()
            store.converter._own.wait()


def settled(store, source, **options):
    answer = look(store, [source], **options)
    store.shared.settle()
    return answer


def test_what_one_host_fetched_and_converted_another_has(server, host, monkeypatch):
    shelf = Shelf()
    first = settled(host(shelf), make_source(server.url))
    assert first.status is ModuleStatus.FOUND
    assert sorted(name.partition("/")[0] for name in shelf.files) == ["objects", "symcaches"]
    asked = server.paths.count(LEDGER_PATH)

    store = host(shelf)
    monkeypatch.setattr(store.converter, "make_symcache", None)
    second = settled(store, make_source(server.url))

    assert (second.status, second.identity, second.candidates) == (first.status, first.identity, first.candidates)
    assert server.paths.count(LEDGER_PATH) == asked


def test_unwind_rules_are_shared_as_well(server, host, monkeypatch):
    shelf = Shelf()
    symbols = shared("fixtures/peers/symbolic/windows/crash.pdb").read_bytes()
    server.routes["/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"] = reply(body=symbols)
    crash = Wanted(ModuleType.PE, None, None, DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1"), "crash.pdb")

    def rules_on(store):
        answer = find_cficache(crash, [make_source(server.url)], scope="p1", store=store, deadline=Deadline.after(60))
        store.shared.settle()
        return answer

    first = rules_on(host(shelf))
    assert sorted(name.partition("/")[0] for name in shelf.files) == ["cficaches", "objects"]
    store = host(shelf)
    monkeypatch.setattr(store.converter, "make_cfi", None)

    assert (rules_on(store).status, rules_on(store).identity) == (ModuleStatus.FOUND, first.identity)


def test_absent_files_are_not_shared(server, host):
    shelf = Shelf()
    del server.routes[LEDGER_PATH]

    assert settled(host(shelf), make_source(server.url)).status is ModuleStatus.MISSING
    assert shelf.files == {}


@pytest.mark.parametrize("other", [{"owner": "umbrella"}, {"headers": {"Authorization": "other"}}, {"id": "copy"}])
def test_another_organization_scope_or_configuration_finds_nothing_there(server, host, other):
    shelf = Shelf()
    settled(host(shelf), make_source(server.url))
    files = dict(shelf.files)
    server.routes.clear()

    assert settled(host(shelf), make_source(server.url, **other)).status is ModuleStatus.MISSING
    assert settled(host(shelf), make_source(server.url), scope="p2").status is ModuleStatus.MISSING
    assert shelf.files == files


def test_what_is_not_whole_counts_as_absent_and_is_replaced(server, host):
    shelf = Shelf()
    settled(host(shelf), make_source(server.url))
    whole = dict(shelf.files)
    for damage in (
        lambda content: content[:-1],
        lambda content: content[:100],
        lambda content: b"",
        lambda content: content[:50] + bytes([content[50] ^ 1]) + content[51:],
        lambda content: content[:-60] + bytes([content[-60] ^ 1]) + content[-59:],
    ):
        shelf.files = {name: damage(content) for name, content in whole.items()}
        assert settled(host(shelf), make_source(server.url)).status is ModuleStatus.FOUND
        assert {name: len(content) for name, content in shelf.files.items()} == {
            name: len(content) for name, content in whole.items()
        }


def test_what_is_too_old_is_fetched_anew(server, host, monkeypatch):
    shelf = Shelf()
    settled(host(shelf), make_source(server.url))
    asked = server.paths.count(LEDGER_PATH)

    monkeypatch.setattr(shared_module, "MAX_AGE_SECONDS", 0.0)
    assert settled(host(shelf), make_source(server.url)).status is ModuleStatus.FOUND
    assert server.paths.count(LEDGER_PATH) == asked + 1


def test_what_was_purged_on_a_host_is_not_taken_from_there(server, host):
    shelf = Shelf()
    settled(host(shelf), make_source(server.url))
    store = host(shelf)
    store.purges.add(Selection())
    asked = server.paths.count(LEDGER_PATH)

    assert settled(store, make_source(server.url)).status is ModuleStatus.FOUND
    assert server.paths.count(LEDGER_PATH) == asked + 1


class Broken:
    def get(self, name, target, deadline):
        target.write(b"half of")
        raise LookupFailure(FailureKind.UNREACHABLE, "download failed")

    def put(self, name, source, size, deadline):
        raise RuntimeError("anything at all")


def test_a_bucket_that_fails_is_nobodys_failure(server, host):
    assert settled(host(Broken()), make_source(server.url)).status is ModuleStatus.FOUND
    assert server.paths.count(LEDGER_PATH) == 1


def test_a_bucket_that_hangs_costs_a_bounded_time(server, host, monkeypatch):
    monkeypatch.setattr(shared_module, "FETCH_SECONDS", 0.3)
    monkeypatch.setattr(shared_module, "STORE_SECONDS", 0.3)
    with web_server() as bucket:
        bucket.default = hang
        access = GoogleAccess(bearer_token="t", storage=bucket.url)
        started = time.monotonic()
        answer = look(host(GcsShelter(access, "b")), [make_source(server.url)])

    assert answer.status is ModuleStatus.FOUND
    assert time.monotonic() - started < 15


def test_storing_keeps_no_request_waiting_and_no_more_than_a_few_files(tmp_path):
    release = threading.Event()

    class Slow:
        def put(self, name, source, size, deadline):
            release.wait(20)

    (tmp_path / "file").write_bytes(b"x")
    cache = SharedCache(Slow(), tmp_path / "spool")
    started = time.monotonic()
    for number in range(300):
        cache.offer(f"k{number}", tmp_path / "file", 1, time.time())

    assert time.monotonic() - started < 5
    assert cache._offers.qsize() <= shared_module.WAITING
    release.set()
    cache.settle()
    assert list((tmp_path / "spool").iterdir()) == []


def test_files_that_are_too_large_are_not_shared(tmp_path):
    shelf = Shelf()
    (tmp_path / "file").write_bytes(b"x" * 11)
    cache = SharedCache(shelf, tmp_path, max_file_bytes=10)
    cache.offer("k", tmp_path / "file", 11, time.time())
    cache.settle()

    assert shelf.files == {}


@pytest.fixture(params=["s3", "gcs"])
def bucket(request):
    """A bucket of a real server, of both kinds."""
    if request.param == "s3":
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        url = "http://{}:{}".format(*server.get_host_and_port())
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket="shared")
        yield S3Shelter(S3Access("us-east-1", url, "a", "b"), "shared", "cache/")
    else:
        server = create_server("127.0.0.1", port := free_port(), in_memory=True)
        server.start()
        url = f"http://127.0.0.1:{port}"
        requests.post(f"{url}/storage/v1/b?project=p", json={"name": "shared"}, timeout=5)
        access = GoogleAccess(bearer_token="t", scope=READ_AND_WRITE, storage=url)
        yield GcsShelter(access, "shared", "cache/")
    server.stop()


def test_buckets_of_both_kinds_will_do(server, host, bucket):
    first = settled(host(bucket), make_source(server.url))
    asked = server.paths.count(LEDGER_PATH)
    second = settled(host(bucket), make_source(server.url))

    assert (first.status, second.identity) == (ModuleStatus.FOUND, first.identity)
    assert server.paths.count(LEDGER_PATH) == asked


def test_an_absent_object_is_absent_in_both(bucket):
    with pytest.raises(LookupFailure):
        bucket.get("no/such/key", io.BytesIO(), Deadline.after(5))
