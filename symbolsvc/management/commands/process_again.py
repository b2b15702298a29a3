"""Have crashes of a project processed again, in the background; or show how far such runs are."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

import msgspec
from django.core.management.base import CommandError, CommandParser

from core.api import ApiError
from crashes.again import reruns
from crashes.again.choosing import Chosen
from crashes.again.shapes import RerunProgress, progress
from crashes.models import Crash, Rerun
from projects.access import SYSTEM
from symbolsvc.management.base import OperatorCommand, organization_named, project_named

_SHOWN = 20


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a time such as 2026-01-31T12:00:00Z") from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r}: the zone is missing")
    return found


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="SLUG")
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--list", action="store_true", help="show the newest runs and start none")
        parser.add_argument("--cancel", type=int, metavar="RUN", help="queue no more crashes of this run")
        parser.add_argument("--reason", default="manage.py process_again")
        parser.add_argument("--group", type=int, help="crashes of this group, by its id")
        parser.add_argument("--state", choices=[one for one in Crash.State.values if one != Crash.State.KEPT])
        parser.add_argument("--app-version", help="crashes of this version of the application")
        parser.add_argument("--platform")
        parser.add_argument("--since", type=_time, help="crashes that were received then or later")
        parser.add_argument("--until", type=_time, help="crashes that were received before")
        parser.add_argument("--lacking", metavar="ID", help="crashes that lack the file with this debug or code id")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(organization_named(options["org"]), options["project"])
        runs = Rerun.objects.filter(project=project)
        if options["list"]:
            self._print([progress(run) for run in runs[:_SHOWN]], options)
            return
        if options["cancel"] is not None:
            found = runs.filter(pk=options["cancel"]).first()
            if found is None:
                raise CommandError(f"There is no run {options['cancel']} of this project.")
            self._print([progress(reruns.cancel(rerun=found, actor=SYSTEM))], options)
            return
        try:
            started = reruns.start(project=project, actor=SYSTEM, chosen=_chosen(options), reason=options["reason"])
        except ApiError as error:
            raise CommandError(error.message) from None
        self._print([progress(started)], options)

    def _print(self, runs: list[RerunProgress], options: dict[str, Any]) -> None:
        lines = [
            f"run {run.id}: {run.state}, {run.done} of {run.total} done, {run.waiting} waiting, {run.failed} failed"
            f" ({run.reason})"
            for run in runs
        ]
        shown = {"runs": msgspec.to_builtins(runs)}
        self.print_result(shown, "\n".join(lines) or "There are no runs.", as_json=options["json"])


def _chosen(options: dict[str, Any]) -> Chosen:
    return Chosen(
        group=options["group"],
        state=options["state"],
        version=options["app_version"],
        platform=options["platform"],
        since=options["since"],
        until=options["until"],
        lacking=options["lacking"],
    )
