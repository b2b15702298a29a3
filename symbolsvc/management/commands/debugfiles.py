"""Look into debug files, upload them to a project, list what a project has."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from symbolsvc.shell.debugfiles.main import main


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def run_from_argv(self, argv: list[str]) -> None:
        """The command's own words alone decide: it has an exit status of its own for wrong ones."""
        sys.exit(main(argv[2:]))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("words", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """From other code."""
        status = main(options["words"])
        if status:
            sys.exit(status)
