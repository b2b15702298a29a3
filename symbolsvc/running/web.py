"""The web processes: gunicorn with threads, one listening socket per process."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from engine.errors import SymbolsvcError
from symbolsvc import environment
from symbolsvc.running.forking import Fork
from symbolsvc.running.memory import give_back
from symbolsvc.running.processes import die_with

# Kept-alive connections wait without a thread; beyond the threads a process holds this many.
_IDLE_CONNECTIONS: Final = 2000
_KEEPALIVE_SECONDS: Final = 15
_SILENT_SECONDS: Final = 60


class Application(BaseApplication):  # type: ignore[misc]
    """gunicorn's configuration, from our settings."""

    def __init__(self, values: dict[str, Any], listen: str) -> None:
        self._values = values
        self._listen = listen
        self.header_seconds: float = values["HEADER_SECONDS"]
        super().__init__()

    def load_config(self) -> None:
        for name, value in _options(self._values, self._listen).items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        from symbolsvc.wsgi import application

        # In a process of its own: what it loads and connects would stay in this one.
        if status := Fork("migrate", _migrate, 0.0).launch().wait():
            raise SystemExit(abs(status))
        return application


class ServerLog(Logger):  # type: ignore[misc]
    """gunicorn's messages go to the log that every other message goes to."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = self.access_log.propagate = True
        # Listening and booting are of interest to the one who looks for a fault.
        self.error_log.setLevel(logging.WARNING)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        if not self.cfg.accesslog:
            return
        milliseconds = int(request_time.total_seconds() * 1000)
        self.access_log.info("%s %s %s %s ms", req.method, environ.get("RAW_URI"), resp.status_code, milliseconds)

    def reopen_files(self) -> None:
        """There are none."""


def _options(values: dict[str, Any], listen: str) -> dict[str, Any]:
    threads = values["WEB_THREADS"]
    return {
        "bind": [listen],
        "reuse_port": True,
        "workers": values["WEB_WORKERS"],
        "worker_class": "symbolsvc.running.gthread.BoundedThreadWorker",
        "threads": threads,
        "worker_connections": threads + _IDLE_CONNECTIONS,
        "backlog": 1024,
        # The longest that gunicorn takes: two parameters of 255 characters, percent-encoded, exceed its default.
        "limit_request_line": 8190,
        "keepalive": _KEEPALIVE_SECONDS,
        "timeout": _SILENT_SECONDS,
        "graceful_timeout": values["GRACEFUL_SECONDS"],
        "preload_app": True,
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108 - heartbeats, not data
        "logger_class": ServerLog,
        "accesslog": "-" if values["ACCESS_LOG"] else None,
        "when_ready": _freeze,
        "post_fork": _begin,
    }


def _migrate() -> None:
    from core.installation import demand_shared
    from symbolsvc.migrating import bring_up_to_date

    try:
        bring_up_to_date()
        demand_shared()
    except SymbolsvcError as error:
        sys.stderr.write(f"{error.message}\n")
        raise SystemExit(2) from None


def _freeze(_arbiter: Any) -> None:
    # What was loaded before the fork stays shared between the processes as long as the collector does not touch it.
    gc.collect()
    gc.freeze()


def _begin(arbiter: Any, _worker: Any) -> None:
    die_with(arbiter.pid, signal.SIGKILL)
    give_back()


def serve(listen: str) -> None:
    """Serve at this address until told to stop. The program has to be loaded."""
    Application(environment.read(), listen).run()
