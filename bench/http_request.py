"""A warm symbolication request over HTTP, against the least that any service must do with it.

The service runs as `manage.py up` with two web processes: token, project and stored source from the database, the
whole stack of the framework. The floor is a bare WSGI application under the same web server, with two processes too: it
parses the same request and serialises the same answer as JSON, and does nothing else. Both run at once and are loaded
in turns, so that what else the machine does hits both.

    python -m bench.http_request [--rounds N] [--seconds S] [--connections N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from bench import workload
from bench.load import Result, Target, run
from bench.rows import Row, Spread, at_most

ANSWER_VARIABLE = "BENCH_ANSWER"
RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 2
_answer: Any = None


def floor(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The floor's WSGI application: JSON in, JSON out."""
    global _answer
    if _answer is None:
        _answer = orjson.loads(Path(os.environ[ANSWER_VARIABLE]).read_bytes())
    orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    body = orjson.dumps(_answer)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def floor_server(answer: bytes, directory: Path) -> Iterator[str]:
    """The floor under gunicorn; its URL."""
    path = directory / "answer.json"
    path.write_bytes(answer)
    port = _free_port()
    options = ["--bind", f"127.0.0.1:{port}", "--workers", str(PROCESSES), "--threads", "8", "--reuse-port"]
    argv = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--log-level", "error", *options]
    process = subprocess.Popen(
        [*argv, "bench.http_request:floor"], cwd=ROOT, env={**os.environ, ANSWER_VARIABLE: str(path)}
    )
    try:
        _await_port(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def service_target(directory: Path, body: bytes) -> Iterator[Target]:
    """A service with a project whose stored source serves the workload's files; warm."""
    from tests.service import Service, environment
    from tests.symbolication import symbolserver
    from tests.symbolication.http import new_tenant
    from tests.symbolication.requests import stored_source

    settings = {"ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "WARNING"}
    service = Service(directory / "data", environment(directory / "data", **settings), ("--workers", str(PROCESSES)))
    with symbolserver.running(workload.symbol_files()) as files:
        service.start()
        try:
            tenant = new_tenant(service)
            stored = tenant.post(tenant.sources_url, stored_source(files.url))
            assert stored.status == 201, stored.body
            target = Target(tenant.symbolicate_url, body, tenant.token)
            run(target, connections=8, seconds=5)
            yield target
        finally:
            service.stop()


def once(target: Target) -> bytes:
    """One answer of the service; fails unless it is complete."""
    connection = http.client.HTTPConnection(*target.address, timeout=60)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {target.token}"}
    connection.request("POST", target.url.partition(f":{target.address[1]}")[2], target.body, headers)
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200, answer
    frames = [frame for stack in orjson.loads(answer)["stacktraces"] for frame in stack["frames"]]
    named = sum(frame["status"] == "symbolicated" for frame in frames)
    assert named > 0.9 * len(frames), f"only {named} of {len(frames)} frames have a name"
    return answer


def measure(*, rounds: int, seconds: float, connections: int) -> dict[str, Any]:
    """Load the service and the floor in turns; every figure of every round."""
    body = json.dumps(workload.request()).encode()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with service_target(directory, body) as target:
            answer = once(target)
            with floor_server(answer, directory) as url:
                bare = Target(url, body)
                run(bare, connections=connections, seconds=1)
                pairs = [
                    (_figures(run(target, connections=connections, seconds=seconds)),
                     _figures(run(bare, connections=connections, seconds=seconds)))
                    for _ in range(rounds)
                ]  # fmt: skip
    return {"rounds": [{"service": ours, "floor": theirs} for ours, theirs in pairs], "answer_bytes": len(answer)}


def _figures(result: Result) -> dict[str, float]:
    assert result.failures == 0, f"{result.failures} requests failed"
    return {
        "per_second": round(result.per_second, 1),
        "p50_ms": round(result.percentile(0.5), 2),
        "p99_ms": round(result.percentile(0.99), 2),
    }


def summary(measured: dict[str, Any]) -> dict[str, Any]:
    """Medians over the rounds, and the ratio of service to floor with its spread."""
    ratios = [each["service"]["per_second"] / each["floor"]["per_second"] for each in measured["rounds"]]
    sides = {
        side: {
            key: statistics.median(each[side][key] for each in measured["rounds"])
            for key in ("per_second", "p50_ms", "p99_ms")
        }
        for side in ("service", "floor")
    }
    spread = {"median": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)}
    return {**sides, "ratio": {name: round(value, 3) for name, value in spread.items()}}


def table(result: dict[str, Any]) -> str:
    """The summary for people."""
    lines = ["warm request over HTTP      req/s    p50 ms    p99 ms"]
    for side in ("service", "floor"):
        row = result[side]
        lines.append(f"{side:<22}{row['per_second']:>11.0f}{row['p50_ms']:>10.1f}{row['p99_ms']:>10.1f}")
    ratio = result["ratio"]
    lines.append(f"service / floor: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['greatest']:.2f})")
    return "\n".join(lines)


def rows(rounds: int = 5) -> Iterator[Row]:
    """The table's row: how many more requests a second the floor answers than the service."""
    found = measure(rounds=rounds, seconds=3.0, connections=8)["rounds"]
    service, bare = ([each[side]["per_second"] for each in found] for side in ("service", "floor"))
    note = f"{statistics.median(service):.0f} requests a second, the floor {statistics.median(bare):.0f}"
    ratio = Spread.ratios(bare, service)
    yield Row("warm, two web processes", ratio, "the JSON floor over HTTP", target=at_most(2.5), note=note)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print the table, write the figures to `bench/results/http_request.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args(arguments)
    measured = measure(rounds=options.rounds, seconds=options.seconds, connections=options.connections)
    result = {**summary(measured), **measured}
    print(table(result))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "http_request.json").write_text(json.dumps(result, indent=1))
    return result


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", "/", b"{}")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
