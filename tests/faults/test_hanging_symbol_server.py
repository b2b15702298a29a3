"""A symbol server that hangs, and as many requests as are allowed that wait for it: everything else goes on."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.service import SERVICE_SETTINGS, Service, create_database, drop_database, environment, eventually, url_of
from tests.symbolication import symbolserver
from tests.symbolication.http import Answer, Tenant, call, new_tenant
from tests.symbolication.requests import gave_up, is_resolved, ledger, stored_source
from tests.symbolication.symbolserver import SymbolServer

# One service for the module: its tests go to one process of xdist.
pytestmark = pytest.mark.e2e

LIMIT = 200
FAST = 5.0
POOL = 8
# Two web processes; six of jobs, which have two connections to listen and take with, and one more; the tests' commands.
MOST_CONNECTIONS = 2 * POOL + 6 * (POOL + 3) + POOL


@dataclass
class Loaded:
    """A service whose every place is taken by a request that waits for a hanging symbol server, one for its own."""

    service: Service
    warm: Tenant
    hanging: SymbolServer
    single: SymbolServer
    waiting: list[Answer]
    threads: ThreadPoolExecutor
    memory_before: int

    def web_processes(self) -> list[int]:
        return [pid for pid, line in self.service.children().items() if "symbolsvc: web" in line]


@contextmanager
def a_service(directory: Path) -> Iterator[Service]:
    name = f"faults_{uuid4().hex[:12]}"
    # What clients gave up on must not have this machine's address left alone in the tests that follow.
    settings = {**SERVICE_SETTINGS, "GRACEFUL_SECONDS": "20", "DENY_LIST_NEVER_BLOCK_HOSTS": "127.0.0.1"}
    service = Service(directory / "data", environment(directory / "data", url_of(create_database(name)), **settings))
    try:
        yield service.start()
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop(signal.SIGKILL)
        drop_database(name)


@pytest.fixture(scope="module")
def strained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for what it must survive, apart from the one that other tests use."""
    with a_service(tmp_path_factory.mktemp("strained")) as service:
        yield service


@pytest.fixture
def loaded(strained: Service) -> Iterator[Loaded]:
    with symbolserver.running() as good, symbolserver.running() as bad, symbolserver.running() as single:
        warm, slow, last = (new_tenant(strained) for _ in range(3))
        for tenant, server in ((warm, good), (slow, bad), (last, single)):
            tenant.post(tenant.sources_url, stored_source(server.url))
        for _ in range(10):
            assert is_resolved(warm.symbolicate(ledger()).json())
        before = memory(strained)
        bad.hang()
        single.hang()
        threads = ThreadPoolExecutor(LIMIT)
        waiting: list[Answer] = []
        threads.submit(lambda: waiting.append(last.symbolicate(ledger(), timeout=120)))
        for number in range(LIMIT - 1):
            # A scope each: none of them waits for another one's download.
            threads.submit(lambda n: waiting.append(slow.symbolicate(ledger(), f"?scope={n}", timeout=120)), number)
        try:
            await_full(warm)
            yield Loaded(strained, warm, bad, single, waiting, threads, before)
        finally:
            single.release()
            bad.release()
            threads.shutdown()


def await_full(tenant: Tenant) -> None:
    """Until a request is answered 503: all places are taken."""
    end = time.monotonic() + 60
    while tenant.symbolicate(ledger()).status != 503:
        assert time.monotonic() < end, "the places are never all taken"
        time.sleep(0.2)


def memory(service: Service) -> int:
    """What all processes of the service have resident, in bytes."""
    pages = 0
    for pid in service.children():
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def connections(service: Service) -> int:
    with psycopg.connect(service.env["DATABASE_URL"]) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def slowest(call_it: object, times: int = 20) -> float:
    return max(answer.seconds for answer in (call_it() for _ in range(times)))  # type: ignore[operator]


def test_two_hundred_waiting_requests_leave_the_rest_alone_and_all_drain(loaded: Loaded) -> None:
    """So does one less: the place that comes free serves a request at once."""
    url, warm = loaded.warm.url, loaded.warm

    refused = warm.symbolicate(ledger())
    assert refused.status == 503
    assert refused.json() == {"detail": "maximum number of concurrent requests reached"}
    assert slowest(lambda: call(f"{url}/livez")) < FAST
    assert slowest(lambda: call(f"{url}/readyz")) < FAST
    assert slowest(lambda: warm.symbolicate(ledger())) < FAST
    assert slowest(lambda: warm.get(warm.sources_url)) < FAST
    assert loaded.waiting == []
    assert connections(loaded.service) <= MOST_CONNECTIONS
    assert memory(loaded.service) - loaded.memory_before < 300 * 1024 * 1024

    loaded.single.release()
    eventually(lambda: loaded.waiting)
    answers = [warm.symbolicate(ledger()) for _ in range(20)]
    assert all(is_resolved(answer.json()) for answer in answers)
    assert max(answer.seconds for answer in answers) < FAST
    assert len(loaded.waiting) == 1

    loaded.hanging.release()
    loaded.threads.shutdown()
    assert [answer.status for answer in loaded.waiting] == [200] * LIMIT
    # A download that a busy machine let wait for longer than its own limit is answered without names, and says so.
    said = [answer.json() for answer in loaded.waiting]
    assert all(is_resolved(one) or gave_up(one) for one in said)
    assert any(is_resolved(one) for one in said)
    loaded.hanging.hanging = None
    assert warm.symbolicate(ledger()).status == 200


def test_the_service_lets_running_requests_finish_when_it_is_told_to_stop(tmp_path: Path) -> None:
    with a_service(tmp_path) as own_service, symbolserver.running() as server:
        tenant = new_tenant(own_service)
        tenant.post(tenant.sources_url, stored_source(server.url))
        server.hang()
        with ThreadPoolExecutor(10) as threads:
            running = [threads.submit(tenant.symbolicate, ledger(), timeout=60) for _ in range(10)]
            while len(server.asked) < 1:
                time.sleep(0.05)
            time.sleep(1)
            threading.Timer(3, server.release).start()
            own_service.stop()
            answers = [one.result() for one in running]

    assert [answer.status for answer in answers] == [200] * 10
    assert all(is_resolved(answer.json()) for answer in answers)


def test_a_client_that_drips_its_body_is_cut_off_and_gives_its_place_back(strained: Service) -> None:
    tenant = new_tenant(strained)
    head = (
        f"POST {tenant.symbolicate_url.removeprefix(tenant.url)} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {tenant.token}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    )
    drips = [socket.create_connection(strained.address, timeout=30) for _ in range(20)]
    try:
        for drip in drips:
            drip.sendall(head.encode() + b"{")
        began = time.monotonic()
        ended = [drip_until_closed(drip) for drip in drips]
    finally:
        for drip in drips:
            drip.close()

    assert time.monotonic() - began < 25
    assert all(b" 408 " in answer.split(b"\r\n")[0] or answer == b"" for answer in ended)
    assert tenant.symbolicate({}).status == 200


def drip_until_closed(connection: socket.socket) -> bytes:
    """One byte each second until the server ends it; what it said."""
    connection.settimeout(1)
    said = b""
    for _ in range(25):
        try:
            connection.sendall(b" ")
            piece = connection.recv(4096)
        except TimeoutError:
            continue
        except OSError:
            return said
        if not piece:
            return said
        said += piece
    raise AssertionError("the connection is still open")


def test_a_request_whose_process_is_killed_ends_as_an_internal_error_and_its_place_is_free(
    strained: Service,
) -> None:
    with symbolserver.running() as server:
        tenant = new_tenant(strained)
        tenant.post(tenant.sources_url, stored_source(server.url))
        server.hang()
        told = tenant.symbolicate(ledger(), "?timeout=0").json()
        assert told["status"] == "pending"
        with psycopg.connect(strained.env["DATABASE_URL"]) as connection:
            row = connection.execute(
                "SELECT owner FROM symbolication_pendingrequest WHERE id = %s", [told["request_id"]]
            )
            owner = int(row.fetchone()[0].rpartition(":")[2])

        os.kill(owner, signal.SIGKILL)

        # The other process, and the one that takes the killed one's place, know when its lease has run out.
        address = f"{tenant.url}/requests/{told['request_id']}"
        end = time.monotonic() + 40
        while (answer := call_again(tenant, f"{address}?timeout=5", end))["status"] == "pending":
            assert time.monotonic() < end
        assert answer == {"status": "internal_error"}


def call_again(tenant: Tenant, url: str, end: float) -> dict[str, str]:
    """Ask, and once more when the connection went to the process that was just killed."""
    while True:
        try:
            return tenant.get(url).json()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.2)
