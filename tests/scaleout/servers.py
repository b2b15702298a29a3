"""What the hosts share, each a server on a host of its own: PostgreSQL, and what speaks S3."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
import psycopg

from symbolsvc.running.datadir import DataDirectory
from symbolsvc.running.postgres import cluster, place
from symbolsvc.running.postgres.server import answers, end_orphans, url
from tests.scaleout.network import Place
from tests.service import eventually

POSTGRES_PORT = 5432
S3_PORT = 9000
_HBA = "local all symbolsvc peer map=service\nhost all symbolsvc 10.99.0.0/24 trust\n"


class Database:
    """PostgreSQL on its own, as an operator would run it: nothing of ours starts it or watches over it."""

    def __init__(self, directory: Path, where: Place) -> None:
        self.where = where
        self.files = place.prepare(DataDirectory(directory))
        self.process: subprocess.Popen[bytes] | None = None
        cluster.create(self.files, durable=True)
        (self.files.root / "hba.conf").write_text(_HBA)
        (self.files.root / "ident.conf").write_text('service "root" symbolsvc\n')

    @property
    def url(self) -> str:
        """What the hosts are given."""
        return f"postgresql://symbolsvc@{self.where.address}:{POSTGRES_PORT}/symbolsvc?connect_timeout=5"

    @property
    def local_url(self) -> str:
        """How the test reaches it: by its socket, which is a file."""
        return url(self.files.sockets, "symbolsvc")

    def start(self) -> None:
        root = self.files.root
        settings = {
            "listen_addresses": self.where.address,
            "unix_socket_directories": str(self.files.sockets),
            "hba_file": str(root / "hba.conf"),
            "ident_file": str(root / "ident.conf"),
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        account = self.files.account
        assert account is not None
        command = [*self.where.prefix, f"--setuid={account.uid}", f"--setgid={account.gid}"]
        command += [str(self.files.programs / "postgres"), "-D", str(self.files.data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (root / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=cluster.ENVIRONMENT, stdout=log, stderr=log)
        eventually(lambda: answers(url(self.files.sockets, "postgres")), 60)

    def create(self) -> None:
        with psycopg.connect(url(self.files.sockets, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE symbolsvc")

    def kill(self) -> None:
        """Its machine loses power, all backends at once."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        end_orphans(self.files.data)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        with psycopg.connect(self.local_url) as connection:
            return connection.execute(query, parameters).fetchall()

    def write(self, *statements: str) -> None:
        with psycopg.connect(self.local_url) as connection:
            for statement in statements:
                connection.execute(statement)


@dataclass
class Bucket:
    """moto's server, with a bucket for blobs and one for the shared cache."""

    where: Place
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self.where.address}:{S3_PORT}"

    def start(self, log: Path) -> None:
        command = [
            *self.where.prefix,
            sys.executable,
            "-m",
            "moto.server",
            "-H",
            self.where.address,
            "-p",
            str(S3_PORT),
        ]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)

    def create(self, local_port: int) -> None:
        self.client = boto3.client(
            "s3",
            "us-east-1",
            endpoint_url=f"http://127.0.0.1:{local_port}",
            aws_access_key_id="k",
            aws_secret_access_key="s",
        )
        eventually(self._is_there, 60)

    def _is_there(self) -> bool:
        try:
            self.client.create_bucket(Bucket="blobs")
            self.client.create_bucket(Bucket="cache")
        except Exception:  # noqa: BLE001 - whatever a server that starts says
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
