"""An installation of many hosts: two for the web and two for jobs, a database, a bucket and a proxy in front.

None shares a directory with another, each has its own network, and their clocks differ by minutes.
"""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.crash_load import Client
from tests.needed import program
from tests.scaleout.network import Network, Place
from tests.scaleout.servers import Bucket, Database
from tests.service import MANAGE, ROOT, SERVICE_SETTINGS, Service, environment, eventually
from tests.symbolication.http import Tenant, call, new_tenant

PORT: Final = 8000
PROXY: Final = ROOT / "docs" / "examples" / "nginx-two-hosts.conf"
_CLOCK: Final = Path(__file__).with_name("clock.c")
_KEYS: Final = base64.urlsafe_b64encode(b"scale-out keys, 32 bytes exactly").decode()


def built_clock(directory: Path) -> Path:
    """The library by which a host's clock is wrong."""
    library = directory / "clock.so"
    subprocess.run([program("cc", "gcc"), "-O", "-shared", "-fPIC", "-o", library, _CLOCK], check=True)
    return library


@dataclass
class WebHost(Service):
    """A service whose address is led to this machine's loopback."""

    where: Place | None = None
    local_port: int = 0

    def start(self, port: int = PORT) -> WebHost:
        super().start(port)
        self.url = f"http://127.0.0.1:{self.local_port}"
        return self

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of manage.py, run on this host."""
        return subprocess.run([*self.prefix, *MANAGE, *arguments], env=self.env, capture_output=True, text=True)


@dataclass
class WorkerHost:
    """`manage.py worker` on a host of its own."""

    data_dir: Path
    env: dict[str, str]
    where: Place
    process: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def start(self) -> WorkerHost:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.where.prefix, *MANAGE, "worker"], env=self.env, stdout=log, stderr=log
            )
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(60)


@dataclass
class Cluster:
    """All of it."""

    directory: Path
    network: Network
    database: Database
    bucket: Bucket
    front: Place
    webs: list[WebHost] = field(default_factory=list)
    workers: list[WorkerHost] = field(default_factory=list)
    proxy: Service | None = None
    clock: Path | None = None

    @property
    def a(self) -> WebHost:
        return self.webs[0]

    @property
    def b(self) -> WebHost:
        return self.webs[1]

    def settings(self, name: str, **more: str) -> tuple[Path, dict[str, str]]:
        """The data directory and the environment of a host."""
        data_dir = self.directory / name
        shared_cache = {"type": "s3", "bucket": "cache", "region": ["us-east-1", self.bucket.endpoint]}
        known = {
            **SERVICE_SETTINGS,
            "SECRET_KEY": "the same on all hosts, and 32 characters long at least",
            "SECRET_KEYS": _KEYS,
            "BLOB_STORE": f"s3://blobs/files?region=us-east-1&endpoint={self.bucket.endpoint}",
            "BLOB_STORE_ACCESS_KEY": "k",
            "BLOB_STORE_SECRET_KEY": "s",
            "SHARED_CACHE": json.dumps({**shared_cache, "access_key": "k", "secret_key": "s"}),
            "ALLOWED_SOURCE_NETWORKS": "10.99.0.0/24",
            "DENY_LIST_NEVER_BLOCK_HOSTS": self.front.address,
            "PROXIES_IN_FRONT": "1",
            "CRASH_LEASE_SECONDS": "5",
            "ACCESS_LOG": "false",
        }
        return data_dir, environment(data_dir, self.database.url, **{**known, **more})

    def skewed(self, minutes: int) -> dict[str, str]:
        """The environment of a host whose clock is wrong by so much; time passes there as it does elsewhere."""
        self.clock = self.clock or built_clock(self.directory)
        return {"LD_PRELOAD": str(self.clock), "CLOCK_SHIFT": str(60 * minutes)}

    def add_web(self, name: str, **more: str) -> WebHost:
        where = self.network.add()
        data_dir, env = self.settings(name, **more)
        options = ("--host", where.address, "--workers", "1", "--without-jobs")
        local_port = self.network.lead_in(self.front, where, PORT)
        self.webs.append(WebHost(data_dir, env, options, where.prefix, where=where, local_port=local_port))
        return self.webs[-1]

    def add_worker(self, name: str, **more: str) -> WorkerHost:
        self.workers.append(WorkerHost(*self.settings(name, **more), self.network.add()))
        return self.workers[-1]

    def start(self) -> None:
        """All hosts at once; whichever comes first makes the tables."""
        with ThreadPoolExecutor(len(self.webs)) as threads:
            starting = [threads.submit(web.start) for web in self.webs]
            for worker in self.workers:
                worker.start()
            for one in starting:
                one.result()
        self.await_workers()

    def heal(self) -> None:
        """Start what does not run."""
        for host in (*self.webs, *self.workers):
            if host.process is None or host.process.poll() is not None:
                host.start()

    def await_workers(self) -> None:
        """Until a process for crashes of each host has told the database its name."""
        query = "SELECT count(DISTINCT client_addr) FROM pg_stat_activity WHERE application_name LIKE %s"
        count = len(self.workers)
        eventually(lambda: self.database.rows(query, "symbolsvc jobs crashes %") == [(count,)], 60)

    def client_of(self, service: Service) -> Client:
        """Submits crashes to the address of a service, in an organization of its own."""
        made = self.commander.bootstrap()["organization"]["slug"]
        return Client(service, made, self.commander.token(made, "web", ["error:post"]))

    @property
    def commander(self) -> Service:
        """Runs commands of manage.py where the test is, on the same database."""
        if not hasattr(self, "_commands"):
            env = {
                **self.a.env,
                "DATABASE_URL": self.database.local_url,
                "SYMBOLSVC_DATA_DIR": str(self.directory / "c"),
            }
            plain = {name: value for name, value in env.items() if name != "LD_PRELOAD"}
            self._commands = Service(self.directory / "c", plain)
            self._commands.url = self.a.url
        return self._commands

    def tenant(self) -> tuple[Tenant, Tenant]:
        """A fresh project, seen through host A and through host B."""
        first = new_tenant(self.commander)
        return first, Tenant(self.b.url, first.organization, first.project, first.token)

    def start_proxy(self) -> None:
        """The documented proxy in front of both hosts."""
        text = PROXY.read_text()
        changes = {
            "/run/symbolsvc-nginx.pid": str(self.directory / "nginx.pid"),
            "/var/tmp/symbolsvc-bodies": str(self.directory / "bodies"),
            "worker_processes auto;": "worker_processes 1; user root; daemon off;",
            "10.0.0.11:8000": f"{self.a.where.address}:{PORT}",
            "10.0.0.12:8000": f"{self.b.where.address}:{PORT}",
        }
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        config = self.directory / "nginx.conf"
        config.write_text(text)
        command = [*self.front.prefix, program("nginx"), "-c", str(config), "-p", str(self.directory)]
        self.proxy = Service(self.directory / "proxy", {})
        self.proxy.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True)
        self.proxy.url = f"http://127.0.0.1:{self.network.lead_in(self.front, self.front, 8080)}"
        eventually(lambda: is_ready(self.proxy), 30)

    def stop(self) -> None:
        if hasattr(self, "_commands") and self._commands._commander is not None:
            self._commands._commander.stop()
        for host in (*self.webs, *self.workers, *([self.proxy] if self.proxy else [])):
            if host.process is not None and host.process.poll() is None:
                host.process.kill()
                host.process.wait()
        self.database.stop()
        self.bucket.stop()


def is_ready(service: Service | None) -> bool:
    assert service is not None
    try:
        return call(f"{service.url}/readyz", timeout=10).status == 200
    except OSError:
        return False


@contextmanager
def running(directory: Path) -> Iterator[Cluster]:
    """Everything up, and gone at the end."""
    with Network() as network:
        database, bucket = Database(directory / "database", network.add()), Bucket(network.add())
        made = Cluster(directory, network, database, bucket, network.add())
        try:
            bucket.start(directory / "s3.log")
            database.start()
            database.create()
            bucket.create(network.lead_in(made.front, bucket.where, 9000))
            made.add_web("web-a", **made.skewed(7))
            made.add_web("web-b", **made.skewed(-4))
            made.add_worker("worker-a", **made.skewed(-7))
            made.add_worker("worker-b", **made.skewed(5))
            made.start()
            yield made
        finally:
            made.stop()
            shutil.rmtree(database.files.root, ignore_errors=True)
