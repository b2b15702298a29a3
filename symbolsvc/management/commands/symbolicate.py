"""Symbolicate one crash file on the command line: a minidump, an Apple crash report, or a JSON request."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from symbolsvc.shell.arguments import Outcome, UsageError, add_arguments, complain, options_of
from symbolsvc.shell.main import main, run
from symbolsvc.shell.projects import open_project


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def run_from_argv(self, argv: list[str]) -> None:
        """The command's own words alone decide: it has an exit status of its own for wrong ones."""
        sys.exit(main(argv[2:], open_project))

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """From other code."""
        try:
            status = run(options_of(Namespace(**options)), open_project)
        except UsageError as error:
            complain(str(error))
            status = Outcome.USAGE
        if status is not Outcome.NAMED:
            sys.exit(status)
