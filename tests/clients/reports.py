"""What a running service made of what crash clients sent it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from core.blobs.local import LocalStore
from crashes.results import Result, Thread, unpacked
from tests.service import Service, eventually
from tests.symbolication.http import Tenant, new_tenant

# Processing begins at once; a busy machine takes its time.
SECONDS = 60.0


@dataclass(frozen=True)
class Kept:
    """A crash that was processed: its row, what came of it, and the content of its attachments by name."""

    row: dict[str, Any]
    group: dict[str, Any]
    result: Result
    main: bytes
    files: dict[str, bytes]

    @property
    def attributes(self) -> dict[str, Any]:
        return self.row["attributes"]  # type: ignore[no-any-return]

    @property
    def crashed(self) -> Thread:
        (thread,) = [thread for thread in self.result.threads if thread.crashed]
        return thread

    @property
    def functions(self) -> list[str | None]:
        return [frame.function for frame in self.crashed.frames]


@dataclass(frozen=True)
class Inbox:
    """A project of a running service, and a token that may do nothing but send reports to it."""

    service: Service
    tenant: Tenant
    token: str

    @classmethod
    def opened(cls, service: Service) -> Inbox:
        tenant = new_tenant(service)
        return cls(service, tenant, service.token(tenant.organization, tenant.project, scopes=["error:post"]))

    def hosted(self, format_: str) -> str:
        """The address by which clients take the service for the hosted one."""
        return f"{self.tenant.url}/submit.backtrace.io/{self.tenant.organization}/{self.token}/{format_}"

    def plain(self, format_: str) -> str:
        return f"{self.tenant.url}/{self.tenant.organization}/{self.token}/{format_}"

    def kept(self, count: int = 1) -> list[Kept]:
        """The project's crashes, oldest first, once so many are there and all of them are processed."""
        return [self._read(row) for row in eventually(lambda: self._settled(count), SECONDS)]

    def is_empty(self) -> bool:
        return not self._crashes()

    def _rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.service.env["DATABASE_URL"], row_factory=dict_row) as connection:
            return connection.execute(statement, values).fetchall()

    def _crashes(self) -> list[dict[str, Any]]:
        return self._rows(
            "SELECT c.* FROM crashes_crash c JOIN projects_project p ON p.id = c.project_id WHERE p.slug = %s"
            " ORDER BY c.id",
            self.tenant.project,
        )

    def _settled(self, count: int) -> list[dict[str, Any]]:
        rows = self._crashes()
        assert len(rows) <= count
        return rows if len(rows) == count and all(row["state"] not in ("pending", "running") for row in rows) else []

    def _read(self, row: dict[str, Any]) -> Kept:
        assert row["state"] == "done", (row["state"], row["problem"])
        blobs = LocalStore(self.service.data_dir / "blobs")
        (result,) = self._rows("SELECT * FROM crashes_crashresult WHERE crash_id = %s", row["id"])
        (group,) = self._rows("SELECT * FROM crashes_group WHERE id = %s", row["group_id"])
        files = self._rows("SELECT * FROM crashes_attachment WHERE crash_id = %s", row["id"])
        contents = {file["name"]: b"".join(blobs.pieces(file["blob_key"])) for file in files}
        main = b"".join(blobs.pieces(row["blob_key"]))
        return Kept(row, group, unpacked(bytes(result["body"])), main, contents)
