"""A database cluster's files: made once, configured before every start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from typing import Final

from symbolsvc.environment import ConfigurationError
from symbolsvc.running.postgres.place import Place, runs_as
from symbolsvc.running.processes import spawn

# The role that owns everything, and the name of the database.
ROLE: Final = "symbolsvc"
DATABASE: Final = "symbolsvc"

ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_LARGEST_LOG: Final = 10 * 1024 * 1024

_SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # What is asked for lies in memory or on a disk without heads: an index is not to be passed over for a whole table.
    "random_page_cost": "1.1",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "log_timezone": "UTC",
    # Statements and values may hold what must not be in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def create(place: Place, *, durable: bool) -> None:
    """Make the data if there is none yet; all of it or nothing.

    Raises ConfigurationError with what `initdb` says.
    """
    if place.data.exists():
        return
    shutil.rmtree(place.root / "data-unfinished", ignore_errors=True)
    unfinished = place.directory("data-unfinished")
    _run_initdb(place, unfinished, durable=durable)
    unfinished.rename(place.data)


def _run_initdb(place: Place, target: os.PathLike[str], *, durable: bool) -> None:
    argv = [
        str(place.programs / "initdb"),
        f"--pgdata={os.fspath(target)}",
        f"--username={ROLE}",
        "--auth=peer",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
    ]
    log = place.root / "initdb.log"
    with log.open("wb") as output:
        process = spawn(
            argv if durable else [*argv, "--no-sync"],
            death_signal=signal.SIGKILL,
            env=ENVIRONMENT,
            account=place.account,
            output=output,
        )
        if process.wait() != 0:
            raise ConfigurationError(f"The database could not be made: {_last_line(log.read_text(errors='replace'))}")


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def start(place: Place, *, durable: bool) -> subprocess.Popen[bytes]:
    """Start the server; it dies with this process. It need not answer yet."""
    _write_access(place)
    settings = {**_SETTINGS, **({} if durable else _NOT_DURABLE), "unix_socket_directories": str(place.sockets)}
    settings |= {"hba_file": str(place.root / "hba.conf"), "ident_file": str(place.root / "ident.conf")}
    with open(place.root / "postgres.log", "ab") as log:
        if log.tell() > _LARGEST_LOG:
            log.truncate(0)
        # SIGINT is PostgreSQL's fast shutdown.
        return spawn(
            [str(place.programs / "postgres"), "-D", str(place.data), *_options(settings)],
            death_signal=signal.SIGINT,
            env=ENVIRONMENT,
            account=place.account,
            output=log,
        )


def _options(settings: dict[str, str]) -> Sequence[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _write_access(place: Place) -> None:
    """Let the user that starts the database in, through the socket, as its role; nobody else."""
    user = runs_as().name.replace('"', '""')
    contents = {
        "hba.conf": f"local all {ROLE} peer map=service\n",
        "ident.conf": f'service "{user}" {ROLE}\n',
    }
    for name, content in contents.items():
        path = place.root / name
        path.write_text(content, encoding="utf-8")
        path.chmod(0o644)
