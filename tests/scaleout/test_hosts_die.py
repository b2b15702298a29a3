"""Whatever dies, and for whatever time: what was accepted is kept, is processed once, and all goes on by itself."""

from __future__ import annotations

import json
import signal
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.faults.crash_load import Load, Stored, dump, report
from tests.scaleout.cluster import Cluster, is_ready
from tests.service import eventually
from tests.symbolication.http import call

RUNNING = (
    "SELECT lease_until - statement_timestamp() < interval '6 s', attempts FROM crashes_crash WHERE state = 'running'"
)


@pytest.fixture
def proxied(cluster: Cluster) -> Cluster:
    if cluster.proxy is None:
        cluster.start_proxy()
    return cluster


def test_hosts_database_and_bucket_go_and_come_while_crashes_come_in(proxied: Cluster) -> None:
    cluster = proxied
    assert cluster.proxy is not None
    client = cluster.client_of(cluster.proxy)
    a, b = cluster.webs
    first, second = cluster.workers
    with Load(client, pause=0.5) as load:
        load.await_more(3)

        # Power fails on a web host, then on a host of workers, which may hold a crash.
        a.stop(signal.SIGKILL)
        load.await_more(3)
        first.stop(signal.SIGKILL)
        load.await_more(3)
        a.start()

        # The database loses power and comes back: both hosts find it again, and nobody restarts them.
        cluster.database.kill()
        cluster.database.start()
        load.await_more(3)

        # The bucket cannot be reached: reports are refused, none is half accepted.
        before = client.refusals.total()
        cluster.bucket.where.cut()
        eventually(lambda: client.refusals.total() > before, 60)
        cluster.bucket.where.mend()
        load.await_more(3)

        # A host is stopped in good order, as for a new version, while the other one serves.
        b.stop()
        load.await_more(3)
        b.start()
        first.start()
        second.stop()
        second.start()
        load.await_more(3)

    stored = Stored(cluster.database.local_url, client.organization)
    stored.await_all(120)
    stored.assert_complete(load.accepted)
    assert all(is_ready(host) for host in cluster.webs)


def test_a_web_host_that_dies_in_an_upload_leaves_nothing_and_the_other_takes_it_whole(cluster: Cluster) -> None:
    client = cluster.client_of(cluster.a)
    body = json.dumps(report(1, "") | {"attributes": {"text": "x" * 200_000}}).encode()
    parts = urlsplit(cluster.a.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        lines = [f"POST /{client.organization}/{client.token}/json HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[:100_000])
        spool = cluster.a.data_dir / "blobs" / "incoming"
        eventually(lambda: spool.is_dir() and any(spool.iterdir()))
        cluster.a.stop(signal.SIGKILL)
        connection.settimeout(30)
        with suppress(ConnectionError):
            assert connection.recv(100) == b""

    sent = call(f"{cluster.b.url}/{client.organization}/{client.token}/json", "POST", body)
    cluster.a.start()
    assert sent.status == 200
    stored = Stored(cluster.database.local_url, client.organization)
    stored.await_all()
    assert stored.rows("SELECT rxid, state FROM mine") == [(sent.json()["_rxid"], "done")]


def test_a_lease_ends_by_the_databases_clock_whatever_the_hosts_think(cluster: Cluster) -> None:
    """The two hosts of workers are twelve minutes apart, a hundred leases; none takes a crash from the other."""
    client = cluster.client_of(cluster.b)
    url = f"{cluster.b.url}/{client.organization}/{client.token}/minidump"
    for _ in range(6):
        assert call(url, "POST", dump()).status == 200
    stored = Stored(cluster.database.local_url, client.organization)
    held: list[tuple] = []
    eventually(lambda: held.extend(cluster.database.rows(RUNNING)) or stored.waiting() == 0, 60)
    assert held
    assert {within for within, _ in held} == {True}
    assert stored.rows("SELECT DISTINCT state, attempts FROM mine") == [("done", 1)]
