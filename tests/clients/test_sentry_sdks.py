"""Real clients of Sentry report to a running service by a DSN, and what they report is processed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from crashes.results import Result, unpacked
from tests.clients.tools import client
from tests.engine.shared_fixtures import shared
from tests.needed import program
from tests.service import Service, eventually
from tests.symbolication.http import Tenant, call, new_tenant

PROGRAMS = Path(__file__).parent / "sentry_programs"
DUMP = "fixtures/captures/crash/fpe-main-dw4/fpe-main-dw4.dmp"
LOG = b"first line\nsecond line\n"


@dataclass(frozen=True)
class Shop:
    """A project with a DSN on a running service."""

    service: Service
    tenant: Tenant
    dsn: str
    minidump: str

    def run(self, *command: object, cwd: Path) -> list[UUID]:
        """Run a program to its end; the ids that it printed."""
        done = subprocess.run(
            [*map(str, command)],
            cwd=cwd,
            env={"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [UUID(line) for line in done.stdout.split()]

    def processed(self, uuid: UUID) -> tuple[dict[str, Any], Result]:
        """The crash of an event, once it is processed, and what came of it."""
        return eventually(lambda: self._processed(uuid), 60)

    def _processed(self, uuid: UUID) -> tuple[dict[str, Any], Result] | None:
        crash = self._row("SELECT * FROM crashes_crash WHERE uuid = %s", uuid)
        assert crash is not None
        assert crash["state"] != "set_aside", crash["problem"]
        if crash["state"] != "done":
            return None
        made = self._row("SELECT body FROM crashes_crashresult WHERE crash_id = %s", crash["id"])
        assert made is not None
        return crash, unpacked(made["body"])

    def attachments(self, crash: dict[str, Any]) -> dict[str, int]:
        """Sizes by name."""
        with self._connect() as connection:
            rows = connection.execute("SELECT name, size FROM crashes_attachment WHERE crash_id = %s", [crash["id"]])
            return {row["name"]: row["size"] for row in rows}

    def count(self) -> int:
        row = self._row(
            "SELECT count(*) FROM crashes_crash c JOIN projects_project p ON p.id = project_id WHERE slug = %s",
            self.tenant.project,
        )
        assert row is not None
        return row["count"]

    def _row(self, query: str, value: Any) -> dict[str, Any] | None:
        with self._connect() as connection:
            return connection.execute(query, [value]).fetchone()

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(self.service.env["DATABASE_URL"], row_factory=dict_row)


@pytest.fixture
def shop(service: Service) -> Shop:
    tenant = new_tenant(service)
    made = tenant.post(f"{tenant.project_url}/keys/", {"name": "shop"})
    assert made.status == 201, made.body
    dsn = made.json()["dsn"]
    return Shop(service, tenant, dsn["public"], dsn["minidump"])


def functions(result: Result) -> list[str]:
    """Names of the crashed thread's own frames, innermost first."""
    thread = next(thread for thread in result.threads if thread.crashed)
    return [frame.function for frame in thread.frames if frame.function]


def check_common(crash: dict[str, Any]) -> None:
    attributes = crash["attributes"]
    assert (attributes["release"], attributes["environment"], attributes["color"]) == ("shop@1.2", "prod", "red")
    # Each client mends what is half a character in its own way; NUL comes through and cannot be stored.
    assert attributes["note"].startswith("half a ")
    assert "\0" not in attributes["note"]
    assert crash["occurred_at"] is not None
    assert (crash["door"], crash["format"], crash["version"]) == ("sentry", "event", "shop@1.2")


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_python(shop, tmp_path, coding):
    error, message = shop.run(sys.executable, PROGRAMS / "shop.py", shop.dsn, coding, cwd=tmp_path)

    crash, result = shop.processed(error)
    check_common(crash)
    assert crash["classifiers"] == ["KeyError", "RuntimeError"]
    assert shop.attachments(crash) == {"shop.log": len(LOG)}
    assert [failure.type for failure in result.failures] == ["RuntimeError", "KeyError"]
    assert "<module>" in functions(result)
    assert "hunter2" not in repr(result)
    crash, _ = shop.processed(message)
    assert (crash["attributes"]["message"], crash["attributes"]["level"]) == ("stock is low", "warning")
    assert shop.count() == 2


def test_node(shop, tmp_path):
    modules = client("sentry-node", "11.12.0").parents[2]
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "shop.js").write_bytes((PROGRAMS / "shop.js").read_bytes())
    error, message = shop.run(program("node"), "shop.js", shop.dsn, cwd=tmp_path)

    crash, result = shop.processed(error)
    check_common(crash)
    assert set(crash["classifiers"]) == {"TypeError", "Error"}
    assert shop.attachments(crash) == {"shop.log": len(LOG)}
    assert any(frame.filename and frame.filename.endswith("shop.js") for frame in result.threads[0].frames)
    crash, _ = shop.processed(message)
    assert crash["attributes"]["level"] == "warning"
    # The transaction and the session that it sends as well are no crashes.
    assert shop.count() == 2


def test_curl_as_sentrys_documentation_has_it(shop, tmp_path):
    dump = shared(DUMP)
    told = '{"release": "shop@1.2", "tags": {"color": "red"}}'
    command = (program("curl"), "-sS", "--fail-with-body", shop.minidump)
    form = ["-F", f"upload_file_minidump=@{dump}", "-F", f"sentry={told}", "-F", "some_file=@note.txt"]
    (tmp_path / "note.txt").write_text("note")
    (uuid,) = shop.run(*command, *form, cwd=tmp_path)

    crash, result = shop.processed(uuid)
    assert (crash["format"], crash["size"], crash["version"]) == ("minidump", dump.stat().st_size, "shop@1.2")
    assert crash["attributes"]["color"] == "red"
    assert shop.attachments(crash) == {
        "some_file": 4,
        "__sentry-event": len(told.replace(": ", ":").replace(", ", ",")),
    }
    assert any(thread.frames for thread in result.threads)


def test_a_key_that_was_stopped_is_told_so_and_stores_nothing(shop, tmp_path):
    (key,) = shop.tenant.get(f"{shop.tenant.project_url}/keys/").json()
    address = f"{shop.tenant.project_url}/keys/{key['id']}/"
    assert call(address, "PUT", {"isActive": False}, token=shop.tenant.token).status == 200
    shop.run(sys.executable, PROGRAMS / "shop.py", shop.dsn, "br", cwd=tmp_path)
    assert shop.count() == 0
