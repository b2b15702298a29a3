"""Running a client of Sentry against a project of a running service."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.clients.tools import client
from tests.symbolication.http import Tenant

SECONDS = 90
CLIENTS = [("sentry-cli", "3.8.2"), ("sentry-cli", "2.58.2"), ("sentry-cli", "2.39.1"), ("sentry", "0.45.0")]


@dataclass(frozen=True)
class Cli:
    """One client, set up for a project by its environment, as a build server does it."""

    name: str
    version: str
    tenant: Tenant
    home: Path

    @property
    def is_rust(self) -> bool:
        return self.name == "sentry-cli"

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "HOME": str(self.home),
            "SENTRY_URL": f"{self.tenant.url}/",
            "SENTRY_AUTH_TOKEN": self.tenant.token,
            "SENTRY_ORG": self.tenant.organization,
            "SENTRY_PROJECT": self.tenant.project,
            "SENTRY_DISABLE_UPDATE_CHECK": "1",
            "SENTRY_CLI_NO_TELEMETRY": "1",
        }
        return {"PATH": os.environ["PATH"], **own, **more}

    def run(self, *arguments: object, status: int = 0, env: Mapping[str, str] | None = None) -> str:
        """What the client prints; fails unless it ends with `status`."""
        command = [str(client(self.name, self.version)), *map(str, arguments)]
        done = subprocess.run(
            command,
            env=self.environment(**(env or {})),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def upload_maps(self, directory: Path, *options: str) -> str:
        """Upload scripts and source maps; the newer client always waits, and calls the command differently."""
        if self.is_rust:
            return self.run("sourcemaps", "upload", "--wait", *options, directory)
        return self.run("sourcemap", "upload", *options, directory)
