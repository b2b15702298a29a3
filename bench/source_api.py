"""Listing 20 sources of a project and adding one, by the API, against a bare Django view with one statement.

Both run in this process on one database: ours with token, scopes, checks, encryption of secrets and the audit trail,
the bare view without any middleware, reading or inserting rows and answering JSON. What counts is processor time, this
process's and the database's together. Rounds of both alternate.

    python -m bench.source_api
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.database import throwaway
from bench.rows import Row, Spread

SOURCES = 20
_TABLE = (
    "CREATE TABLE bench_floor (id bigserial PRIMARY KEY, name text UNIQUE, body jsonb, at timestamptz DEFAULT now())"
)
_numbers = itertools.count()


def rows(rounds: int = 9, repeats: int = 20) -> Iterator[Row]:
    """The table's rows."""
    with throwaway():
        acts = _acts()
        figures: dict[str, list[float]] = {name: [] for name in acts}
        for number in range(rounds + 1):
            for name, act in acts.items():
                spent = _timed(act, repeats)
                if number:
                    figures[name].append(spent)
    for name in ("list", "write"):
        ratio = Spread.ratios(figures[name], figures[f"bare {name}"])
        yield Row(f"{name}", ratio, "a bare view with one statement", note=f"{min(figures[name]):.1f} ms")


def _acts() -> dict[str, Callable[[], object]]:
    from django.db import connection
    from django.test import Client

    from projects.scopes import SCOPES
    from tests.cast import make_organization, make_project, make_token
    from tests.symbolication.requests import stored_source

    organization = make_organization()
    make_project(organization, "web")
    headers = {"authorization": f"Bearer {make_token(organization, scopes=tuple(SCOPES))}"}
    address, client, bare = "/api/0/projects/acme/web/symbol-sources/", Client(), _bare_client()
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)

    def body() -> bytes:
        return json.dumps(stored_source("https://symbols.example.com/", f"source{next(_numbers)}")).encode()

    def write() -> None:
        answer = client.post(address, body(), "application/json", headers=headers)
        assert answer.status_code == 201, answer.content

    def remove_all() -> None:
        from sources.models import SymbolSource

        SymbolSource.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE bench_floor")

    def fill() -> None:
        remove_all()
        for _ in range(SOURCES):
            write()
            assert bare.post("/", body(), "application/json").status_code == 201

    def listed(asked: Any, place: str) -> None:
        answer = asked.get(place, headers=headers)
        assert len(json.loads(answer.content)) == SOURCES, answer.content

    fill()
    found: dict[str, Callable[[], object]] = {
        "list": lambda: listed(client, address),
        "bare list": lambda: listed(bare, "/"),
    }
    # After the last write of a round there are as many again as are listed.
    writes = itertools.count(1)
    found["write"] = write
    found["bare write"] = lambda: bare.post("/", body(), "application/json")
    return found | {"": lambda: fill() if next(writes) % 20 == 0 else None}


def _bare_client() -> Any:
    from django.conf import settings
    from django.test import Client
    from django.test.client import ClientHandler
    from django.urls import ResolverMatch

    class Bare(ClientHandler):
        """Every address is the one view, and nothing is around it."""

        def resolve_request(self, request: Any) -> Any:
            request.resolver_match = ResolverMatch(_view, (), {})
            return request.resolver_match

    client = Client()
    client.handler = Bare(enforce_csrf_checks=False)
    before, settings.MIDDLEWARE = settings.MIDDLEWARE, []
    client.handler.load_middleware()
    settings.MIDDLEWARE = before
    return client


def _view(request: Any) -> Any:
    from django.db import connection
    from django.http import JsonResponse

    with connection.cursor() as cursor:
        if request.method == "POST":
            sent = json.loads(request.body)
            cursor.execute("INSERT INTO bench_floor (name, body) VALUES (%s, %s)", [sent["id"], json.dumps(sent)])
            return JsonResponse(sent, status=201)
        cursor.execute("SELECT body::text FROM bench_floor ORDER BY id")
        return JsonResponse([json.loads(body) for (body,) in cursor.fetchall()], safe=False)


def _timed(act: Callable[[], object], repeats: int) -> float:
    """Milliseconds of processor time for one call, here and in the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        place = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    began = time.process_time() * 1e3 + int(place.read_text().split()[0]) / 1e6
    for _ in range(repeats):
        act()
    return (time.process_time() * 1e3 + int(place.read_text().split()[0]) / 1e6 - began) / repeats


if __name__ == "__main__":
    from bench.table import table

    print("\n".join(table({"source_api": list(rows())})))
