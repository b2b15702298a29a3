"""What `manage.py` does: finds the data directory and the database before Django reads its settings."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

from engine.errors import SymbolsvcError
from symbolsvc import environment
from symbolsvc.environment import ConfigurationError

# Run without Django: they stay small, or have to set it up themselves.
_PLAIN: Final = {
    "up": "symbolsvc.running.up",
    "worker": "symbolsvc.running.worker",
}
_WITHOUT_DATABASE: Final = {"help", "--help", "-h", "version", "--version", "check", "makemigrations", "schema"} | {
    "settings_docs",
    "spectacular",
    "findstatic",
    "collectstatic",
    "diffsettings",
    "startapp",
    "test",
}
_OPTION: Final = "--data-dir"
# Needs Django and the database only when it is asked for what a project has stored.
_SYMBOLICATE: Final = "symbolicate"
_PROJECT: Final = "--project"
_CHECK_FILES: Final = ["debugfiles", "check"]


def main(argv: Sequence[str]) -> int:
    """Run a command; its exit status: 2 for a configuration to be changed, 1 for other errors."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    try:
        return _run(_without_data_dir(argv))
    except ConfigurationError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    except SymbolsvcError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


def _run(argv: list[str]) -> int:
    command = argv[1] if len(argv) > 1 else "help"
    if command in _PLAIN:
        status: int = importlib.import_module(_PLAIN[command]).main(argv[2:])
        return status
    if command == _SYMBOLICATE and not any(word.partition("=")[0] == _PROJECT for word in argv):
        from symbolsvc.shell.main import main as symbolicate

        return symbolicate(argv[2:])
    values = environment.read()
    if argv[1:3] == _CHECK_FILES or command in _WITHOUT_DATABASE or "--help" in argv or values["DATABASE_URL"]:
        return _django(argv)
    from symbolsvc.running import secrets
    from symbolsvc.running.postgres import available

    data_dir = environment.data_dir(values)
    # Before anything is started for nothing.
    secrets.settled(values, data_dir)
    with available(data_dir) as database_url:
        os.environ["DATABASE_URL"] = database_url
        return _django(argv)


def _django(argv: list[str]) -> int:
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)
    return 0


def _without_data_dir(argv: Sequence[str]) -> list[str]:
    """The arguments without `--data-dir DIR`, which becomes the setting that all processes read."""
    left: list[str] = []
    rest = iter(argv)
    for argument in rest:
        name, separator, value = argument.partition("=")
        if name != _OPTION:
            left.append(argument)
            continue
        value = value if separator else next(rest, "")
        if not value:
            raise ConfigurationError(f"{_OPTION}: name a directory")
        os.environ["SYMBOLSVC_DATA_DIR"] = value
    return left
