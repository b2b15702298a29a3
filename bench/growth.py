"""How time grows: with the modules of a request, and with what is stored.

Modules: a native request over 10, 100 and 1,000 modules, all warm, per module. Stored: projects of 1,000, 100,000 and
1,000,000 crashes and of 1,000, 10,000 and 100,000 debug files lie in one database, are asked the same by pages and API,
and the time that the database computes is compared to that of the smallest project in the same round.

    python -m bench.growth [--plans]     with --plans only the plans are written, to bench/plans
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.database import throwaway
from bench.questions import addresses
from bench.rows import Row, Spread, at_most
from bench.seeding import LARGE, MIDDLE, SMALL, seed

MOST_SECONDS = 420
SIZES = {"small": SMALL, "middle": MIDDLE, "large": LARGE}
# Milliseconds of the database's processor for everything that a page asks.
MOST_MS = 100.0
PLANS = Path(__file__).parent / "plans"


def rows(rounds: int = 3) -> Iterator[Row]:
    """The table's rows."""
    yield from _modules()
    with throwaway():
        places = _stored()
        found = asked(places, rounds)
        for name, figures in found.items():
            yield from _grown(name, figures)


def _grown(name: str, figures: dict[str, list[float]]) -> Iterator[Row]:
    """The largest and the one between, in terms of the smallest; only the former is a target."""
    small, middle, large = (figures[size] for size in SIZES)
    note = f"{min(small):.1f}, {min(middle):.1f}, {min(large):.1f} ms of the database's processor"
    yield Row(name, Spread.ratios(large, small), "the same among 1,000", note=note)


def _modules() -> Iterator[Row]:
    from bench.growth_modules import per_module

    figures = per_module(rounds=7)
    for count in (100, 1000):
        ratio = Spread.ratios(figures[count], figures[10])
        yield Row(f"a module, of {count:,}", ratio, "a module, of 10", target=at_most(1.5))


def _stored() -> dict[str, dict[str, Any]]:
    """Fill the database; what stands for a project in the addresses, by size."""
    from crashes.models import Group
    from projects.scopes import OWNER
    from tests.cast import make_member, make_organization, make_project

    organization = make_organization()
    make_member(organization, OWNER, "owner@example.com")
    projects = {name: make_project(organization, name) for name in SIZES}
    seed((projects[name].pk, size) for name, size in SIZES.items())
    amid = int((time.time() - 15 * 86_400) * 1e6)
    largest = {
        name: Group.objects.filter(project=project).order_by("-count", "-id").values_list("pk", flat=True)[0]
        for name, project in projects.items()
    }
    return {name: {"project": name, "group": largest[name], "amid": amid} for name in projects}


def asked(places: dict[str, dict[str, Any]], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of the database's processor, by question and size; a round before the first is not counted."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(email="owner@example.com"))
    found: dict[str, dict[str, list[float]]] = {}
    for name, address in addresses().items():
        figures: dict[str, list[float]] = {size: [] for size in places}
        for number in range(rounds + 1):
            for size, values in places.items():
                spent = _spent(client, address.format(**values))
                if number:
                    figures[size].append(spent)
        found[name] = figures
    return found


def _spent(client: Any, address: str) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        # Of the processes beside it nobody would know what they did.
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    total = 0.0

    def clocked(execute: Any, *arguments: Any) -> Any:
        nonlocal total
        began = _processor_time(process)
        try:
            return execute(*arguments)
        finally:
            total += _processor_time(process) - began

    with connection.execute_wrapper(clocked):
        answer = client.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return total


def _processor_time(process: int) -> float:
    """Milliseconds, to the nanosecond, that a process has computed for."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e6


def write_plans(names: Iterable[str] = ()) -> None:
    """Write the plans of the statements of every question to the largest project, one file each."""
    from bench.plans_written import write

    with throwaway():
        write(PLANS, _stored()["large"], set(names))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--plans", action="store_true", help="write the plans and nothing else")
    if options.parse_args().plans:
        write_plans()
    else:
        from bench.table import table

        print("\n".join(table({"growth": list(rows())})))
