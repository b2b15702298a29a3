"""The plans of the statements behind each question, as text without costs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.questions import addresses

# Who asks, and the frame of a page: the same for every question, and none of them grows.
_FRAME = re.compile('"(?:django_session|auth_user|projects_[a-z]+|debugfiles_retention|crashes_crashrules)"')
_NUMBERS = re.compile(r"\b[0-9]{4,}\b(?![-:])|'[0-9]{4}-[0-9]{2}-[0-9]{2} [^']*'|'\{[0-9,]{20,}\}'")
_LONGEST = 200


def write(directory: Path, values: dict[str, Any], names: set[str]) -> None:
    """One file per question below `directory`, of a project whose statistics the planner knows."""
    directory.mkdir(exist_ok=True)
    for name, address in addresses().items():
        if not names or name in names:
            text = "\n\n".join(plans(address.format(**values)))
            (directory / f"{_file_name(name)}.txt").write_text(f"{address}\n\n{text}\n")


def plans(address: str) -> list[str]:
    """The plans of what a page asks the database about crashes and files, in that order."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(email="owner@example.com"))
    statements: list[tuple[str, Any]] = []

    def noted(execute: Any, statement: str, values: Any, *more: Any) -> Any:
        statements.append((statement, values))
        return execute(statement, values, *more)

    with connection.execute_wrapper(noted):
        assert client.get(address).status_code == 200, address
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        return [_plan(cursor, *one) for one in statements if _is_of_interest(one[0])]


def _is_of_interest(statement: str) -> bool:
    begins = statement.lstrip().upper().startswith(("SELECT", "WITH"))
    table = re.search(r'FROM "?([a-z_]+)', statement)
    return begins and not (table and _FRAME.fullmatch(f'"{table[1]}"'))


def _plan(cursor: Any, statement: str, values: Any) -> str:
    cursor.execute(f"EXPLAIN (COSTS OFF) {statement}", values)
    return "\n".join(_NUMBERS.sub("…", line)[:_LONGEST] for (line,) in cursor.fetchall())


def _file_name(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
