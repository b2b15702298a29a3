"""How long `manage.py up` takes until /readyz answers 200, against PostgreSQL's own start and bare Django's.

Fixed is: the embedded PostgreSQL started until it answers, and then Python importing Django with the apps that the
service has of it, and looking with Django's own means whether a migration is missing. The service does more, and does
some of it at once. Rounds alternate. A first start makes the database and all tables; it is measured once.

Parts are measured by themselves, so that they may overlap in the whole: `supervisor` is Python with what `up` needs,
`program` everything that the processes share, `database` PostgreSQL's start.

    python -m bench.startup [--rounds N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.rows import Row, Spread, at_most

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results"
_BARE = """
import sys, django
from django.conf import settings
apps = ["auth", "contenttypes", "sessions", "messages", "staticfiles", "postgres"]
database = {"ENGINE": "django.db.backends.postgresql", "NAME": "symbolsvc", "USER": "symbolsvc", "HOST": sys.argv[1]}
settings.configure(INSTALLED_APPS=["django.contrib." + app for app in apps], DATABASES={"default": database})
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
assert executor.migration_plan([node for node in executor.loader.graph.leaf_nodes() if node[0] in apps]) == []
"""
_PROGRAM = "from symbolsvc.running import program; program.load({'SYMBOLSVC_DATA_DIR': %r})"


@dataclass
class Measured:
    """Seconds; one figure a round but for the first start."""

    first: float = 0.0
    later: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    supervisor: list[float] = field(default_factory=list)
    program: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)


def measure(rounds: int = 5) -> Measured:
    """Start the same service again and again, and what is fixed in between."""
    from tests.service import Service, environment

    found = Measured()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        data_dir = Path(name) / "data"
        service = Service(data_dir, environment(data_dir), ("--workers", "2"))
        found.first = _ready(service)
        for _ in range(rounds):
            found.later.append(_ready(service))
            database, bare = _fixed(data_dir)
            found.database.append(database)
            found.fixed.append(database + bare)
            found.supervisor.append(_python("-c", "import symbolsvc.running.up"))
            found.program.append(_python("-c", _PROGRAM % str(data_dir)))
    return found


def _ready(service: object) -> float:
    """Seconds until the service is ready; it is stopped then."""
    from tests.service import Service

    assert isinstance(service, Service)
    began = time.perf_counter()
    service.start()
    while not _answers(service.address):
        time.sleep(0.01)
    seconds = time.perf_counter() - began
    service.stop()
    return seconds


def _answers(address: tuple[str, int]) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _fixed(data_dir: Path) -> tuple[float, float]:
    """Seconds of PostgreSQL's start on the service's own data, and of bare Django with it."""
    from symbolsvc.running.postgres import Server

    server = Server(data_dir)
    try:
        database = _seconds(server.start)
        locator = server.directory.locator()
        assert locator is not None
        return database, _python("-c", _BARE, locator.sockets)
    finally:
        server.stop()
        server.leave()


def _python(*arguments: str) -> float:
    return _seconds(lambda: subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rows() -> Iterator[Row]:
    """The table's rows."""
    found = measure()
    least = {part: min(getattr(found, part)) for part in ("supervisor", "program", "database")}
    note = "the quickest of each by itself: " + ", ".join(f"{part} {seconds:.2f} s" for part, seconds in least.items())
    fixed = "PostgreSQL's start, then bare Django's"
    yield Row("later start", Spread.ratios(found.later, found.fixed), fixed)
    yield Row("later start, seconds", Spread.of(found.later), "the clock", "s", at_most(5), note=note)
    yield Row("first start, seconds", Spread.of([found.first]), "the clock", "s")


def main(arguments: list[str] | None = None) -> Measured:
    """Measure, print, write the figures to `bench/results/startup.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    found = measure(parser.parse_args(arguments).rounds)
    print(f"first start {found.first:.2f} s")
    for part, seconds in asdict(found).items():
        if part != "first":
            print(f"{part:<12}{sorted(seconds)[len(seconds) // 2]:>6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "startup.json").write_text(json.dumps(asdict(found), indent=1))
    return found


if __name__ == "__main__":
    main()
