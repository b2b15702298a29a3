"""Commands of manage.py in one process that has loaded Django already, since loading it takes longer than they do.

As a script: each line of standard input holds the arguments of one command as JSON, each line of standard output its
exit status, output and errors.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Commander:
    """Runs commands for a service that has a database server of its own; started when the first one is run."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = {**env, "DJANGO_SETTINGS_MODULE": "symbolsvc.settings"}
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, standard output and error of one command."""
        with self.lock:
            if self.process is None:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "tests.commander"],
                    env=self.env,
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(json.dumps(arguments) + "\n")
            self.process.stdin.flush()
            status, output, errors = json.loads(self.process.stdout.readline())
            return status, output, errors

    def stop(self) -> None:
        if self.process is not None:
            self.process.communicate(timeout=30)
            self.process = None


def _run(arguments: list[str]) -> tuple[int, str, str]:
    from django.core.management import CommandError, call_command
    from django.db import connections

    output, errors = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=output, stderr=errors)
    except CommandError as error:
        return 1, output.getvalue(), str(error)
    finally:
        # The database may be killed or dropped before the next one.
        connections.close_all()
    return 0, output.getvalue(), errors.getvalue()


def main() -> None:
    import django

    answers, sys.stdout = sys.stdout, sys.stderr
    django.setup()
    for line in sys.stdin:
        answers.write(json.dumps(_run(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
