"""What submissions are measured against: the least that keeps a report, without HTTP and with it.

The floor: processes with as many threads as the service has requests at once. Each thread writes the same bytes to a
new file, syncs it and inserts one row, as often as it can; nothing is read and nothing judged.

Its floor: a bare WSGI application under the service's own web server, with its worker class, processes and threads. It
reads a form of one file with two searches, JSON by parsing it, writes the file, syncs it, inserts one row with a
pooled connection and answers. It judges nothing.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from psycopg_pool import ConnectionPool

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 2
_DIRECTORY = "BENCH_DIRECTORY"
_LISTEN = "BENCH_LISTEN"
_CREATE = "CREATE TABLE IF NOT EXISTS bench_floor (id bigserial PRIMARY KEY, path text, size bigint, at timestamptz)"
_INSERT = "INSERT INTO bench_floor (path, size, at) VALUES (%s, %s, now())"
_MAIN = b'name="upload_file_minidump"'
_GZIP = 31


@dataclass(frozen=True)
class Rate:
    """What was kept in a second, and the CPU time of one: milliseconds."""

    per_second: float
    cpu_ms: float


def prepare(database: str) -> None:
    """Make the floors' table."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_CREATE)


def floor(directory: Path, database: str, content: bytes, *, seconds: float, connections: int) -> Rate:
    """What is kept without HTTP, with as many at once as the service has. The CPU time is without the database's."""
    context = multiprocessing.get_context("fork")
    counts = context.Queue()
    threads = max(connections // PROCESSES, 1)
    arguments = (str(directory), database, content, seconds, threads, counts)
    processes = [context.Process(target=_floor, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    found = [counts.get(timeout=seconds + 60) for _ in processes]
    for process in processes:
        process.join()
    kept = sum(count for count, _ in found)
    return Rate(kept / seconds, 1000 * sum(used for _, used in found) / max(kept, 1))


def _floor(directory: str, database: str, content: bytes, seconds: float, threads: int, counts: Any) -> None:
    began = _used()
    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(_keep_on, directory, database, content, seconds) for _ in range(threads)]
        kept = sum(task.result() for task in tasks)
    counts.put((kept, _used() - began))


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _keep_on(directory: str, database: str, content: bytes, seconds: float) -> int:
    with psycopg.connect(database, autocommit=True) as connection:
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            connection.execute(_INSERT, [_written(directory, content), len(content)])
            count += 1
    return count


def _written(directory: str, content: bytes | memoryview) -> str:
    path = f"{directory}/{uuid4().hex}"
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


@lru_cache(maxsize=1)
def _pool() -> ConnectionPool[psycopg.Connection[Any]]:
    size = int(os.environ["DATABASE_POOL_SIZE"])
    pool = ConnectionPool(os.environ["DATABASE_URL"], max_size=size, kwargs={"autocommit": True}, open=True)
    atexit.register(pool.close)
    return pool


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Its floor's application."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    if environ.get("HTTP_CONTENT_ENCODING") == "gzip":
        body = zlib.decompress(body, _GZIP)
    if environ["CONTENT_TYPE"] == "application/json":
        orjson.loads(body)
        content = memoryview(body)
    else:
        boundary = environ["CONTENT_TYPE"].partition("boundary=")[2].encode()
        begin = body.find(b"\r\n\r\n", body.find(_MAIN)) + 4
        content = memoryview(body)[begin : body.find(b"\r\n--" + boundary, begin)]
    path = _written(os.environ[_DIRECTORY], content)
    with _pool().connection() as connection:
        connection.execute(_INSERT, [path, len(content)])
    answer = orjson.dumps({"response": "ok", "_rxid": path[-36:]})
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


@contextmanager
def bare_server(directory: Path, env: dict[str, str], port: int) -> Iterator[tuple[str, int]]:
    """Its floor, running in the environment of the service's web processes: its URL and its first process."""
    more = {_DIRECTORY: str(directory), _LISTEN: f"127.0.0.1:{port}"}
    process = subprocess.Popen([sys.executable, "-m", "bench.submission_floors"], cwd=ROOT, env={**env, **more})
    try:
        yield f"http://127.0.0.1:{port}/", process.pid
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Serve `application` as the service's web processes serve theirs."""
    from symbolsvc import environment
    from symbolsvc.running.web import Application

    class Bare(Application):
        def load(self) -> Callable[..., Any]:
            from bench.submission_floors import application as bare

            return bare

    Bare(environment.read(), os.environ[_LISTEN]).run()


if __name__ == "__main__":
    main()
