"""Run the jobs of some queues, one at a time, until SIGTERM. `up` and `worker` start as many of these as are needed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import background


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", required=True, help="names, separated by commas")

    def handle(self, *args: Any, **options: Any) -> None:
        background.run(options["queues"].split(","))
