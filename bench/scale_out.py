"""What one crash takes of each part of an installation: the figures that `docs/scale-out.md` calculates with.

The service runs as `manage.py up` with one web process and one that processes crashes, its blobs in moto's server of
S3. Crashes of a kind are sent while processing stands still, and then processed while nothing is sent, so that what
each takes of the CPU can be told apart. Absolute figures, and so of the machine: `bench/results/scale_out.json`.

    python -m bench.scale_out [--count N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import lzma
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import workload
from bench.processes import cpu_seconds, family
from bench.submission import form, report

HERE = Path(__file__).parent
_MULTIPART = "multipart/form-data; boundary=----bench-boundary"
_SCOPES = ("error:post", "project:write", "project:read", "project:releases", "event:read")


@dataclass
class Parts:
    """What runs, and how to ask it."""

    url: str
    token: str
    database_url: str
    processes: dict[str, list[int]]
    s3_log: Path

    def call(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        """One request on a connection of its own; the body of its answer, which must be a success."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {"Content-Type": kind, "Authorization": f"Bearer {self.token}"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        assert answer.status < 300, (answer.status, read[:200])
        return read

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()

    def look(self) -> Counter[str]:
        """All that is counted, as it stands."""
        seen = Counter({f"{name}_ms": 1000 * cpu_seconds(pids) for name, pids in self.processes.items()})
        seen["database_ms"] = 1000 * cpu_seconds(family(self.processes["database"][0]))
        (wal,) = self.rows("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")[0]
        sizes = " + ".join(f"pg_total_relation_size('{name}')" for name in self._tables())
        (size,) = self.rows(f"SELECT {sizes}")[0]
        lines = self.s3_log.read_text().splitlines()
        seen.update({"wal_bytes": int(wal), "table_bytes": int(size)})
        seen.update(
            {
                f"s3_{word.lower()}": sum(f'"{word} ' in line or f"m{word} " in line for line in lines)
                for word in ("PUT", "GET")
            }
        )
        return seen

    def _tables(self) -> list[str]:
        known = self.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'crashes\\_%'")
        return [name for (name,) in known]

    def waiting(self) -> int:
        return int(self.rows("SELECT count(*) FROM crashes_crash WHERE state IN ('pending', 'running')")[0][0])


@contextmanager
def running(directory: Path) -> Iterator[Parts]:
    """Everything up, with a project whose debug files are uploaded."""
    from bench.submission import _free_port, _postmaster
    from symbolsvc.running.datadir import DataDirectory
    from symbolsvc.running.postgres.server import url
    from tests.service import Service, environment

    port, log = _free_port(), directory / "s3.log"
    endpoint = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        s3 = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=output, stderr=output)
    settings = {
        "LOG_LEVEL": "WARNING",
        "CRASH_WORKERS": "1",
        "CRASHES_PER_MINUTE": "1000000",
        "BLOB_STORE": f"s3://blobs/x?endpoint={endpoint}",
        "BLOB_STORE_ACCESS_KEY": "k",
        "BLOB_STORE_SECRET_KEY": "s",
    }
    service = Service(directory / "data", environment(directory / "data", **settings), ("--workers", "1"))
    try:
        _make_bucket(endpoint)
        service.start()
        service.bootstrap("bench", "web")
        token = service.token("bench", "web", scopes=_SCOPES)
        web = service.child("web")
        crashes = service.job_processes("crashes")
        converter = service.child("engine.convert")
        located = DataDirectory(directory / "data").locator()
        assert located is not None
        processes = {
            "web": family(web),
            "worker": crashes,
            "converter": [converter],
            "database": [_postmaster(directory)],
        }
        parts = Parts(service.url, token, url(located.sockets), processes, log)
        _upload(parts)
        yield parts
    finally:
        service.stop()
        s3.kill()
        s3.wait()


def _make_bucket(endpoint: str) -> None:
    import boto3

    client = boto3.client("s3", "us-east-1", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="s")
    end = time.monotonic() + 30
    while True:
        try:
            client.create_bucket(Bucket="blobs")
        except Exception:  # noqa: BLE001 - it is starting
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return


def _upload(parts: Parts) -> None:
    for name, content in workload.members().items():
        if name.endswith(".so"):
            parts.call("POST", f"/api/0/projects/bench/web/debug-files/?name={name}", content)


def measure(parts: Parts, path: str, kind: str, body: bytes, count: int) -> dict[str, dict[str, float]]:
    """What one crash took when it was sent, and when it was processed."""
    workers = parts.processes["worker"]
    for _ in range(3):
        parts.call("POST", path, body, kind)
    _await_none(parts)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = parts.look()
        for _ in range(count):
            parts.call("POST", path, body, kind)
        sent = parts.look()
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    _await_none(parts)
    done = parts.look()
    return {"submission": _each(began, sent, count), "processing": _each(sent, done, count)}


def _each(before: Counter[str], after: Counter[str], count: int) -> dict[str, float]:
    return {name: round((after[name] - before[name]) / count, 2) for name in sorted(after)}


def _await_none(parts: Parts) -> None:
    end = time.monotonic() + 300
    # Seldom, so that the question itself takes next to nothing of the database's time.
    while parts.waiting():
        assert time.monotonic() < end
        time.sleep(0.5)


def reading(parts: Parts, count: int) -> dict[str, float]:
    """What it takes of the web process to read the newest crash: its facts and its result."""
    (newest,) = json.loads(parts.call("GET", "/api/0/projects/bench/web/crashes/?per_page=1"))
    before = parts.look()
    for _ in range(count):
        parts.call("GET", f"/api/0/projects/bench/web/crashes/{newest['id']}/result/")
    return _each(before, parts.look(), count)


def main() -> None:
    """Measure, print, and write the figures with the date and the commit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    count = parser.parse_args().count
    dump = lzma.decompress((HERE / "gen.dmp.xz").read_bytes())
    with tempfile.TemporaryDirectory(prefix="bench-") as name, running(Path(name)) as parts:
        at = f"/bench/{parts.token}"
        found: dict[str, Any] = {
            "json": measure(parts, f"{at}/json", "application/json", report(), count),
            "dump": measure(parts, f"{at}/minidump", _MULTIPART, form(dump), count),
            "read_result": reading(parts, count),
        }
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    found["measured"] = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "count": count,
    }
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "scale_out.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
