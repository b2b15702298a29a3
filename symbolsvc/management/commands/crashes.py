"""Crashes whose processing was given up: list them, and have them processed again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from crashes.models import Crash
from crashes.processing.queueing import queue
from symbolsvc.management.base import OperatorCommand, organization_named, project_named

_WINDOW = 1000


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=("list", "retry"))
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="crashes, as `list` names them")
        parser.add_argument("--org", metavar="SLUG", help="those of this organization")
        parser.add_argument("--project", metavar="SLUG", help="those of this project (needs --org)")
        parser.add_argument("--all", action="store_true", help="retry: all of the installation")
        parser.add_argument("--limit", type=int, default=100, help="list: so many of the oldest (100)")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options)
        if options["action"] == "list":
            self._list(chosen, options["limit"], as_json=options["json"])
            return
        if not (options["ids"] or options["org"] or options["all"]):
            raise CommandError("Name crashes by their ids, or a project, or say --all.")
        count = _retry(chosen)
        self.print_result({"queued": count}, f"{count} crashes are processed again.", as_json=options["json"])

    def _list(self, chosen: QuerySet[Crash], limit: int, *, as_json: bool) -> None:
        rows = [
            {
                "id": crash.pk,
                "rxid": crash.rxid,
                "organization": crash.project.organization.slug,
                "project": crash.project.slug,
                "format": crash.format,
                "received_at": crash.received_at.isoformat(),
                "attempts": crash.attempts,
                "problem": crash.problem,
            }
            for crash in chosen.select_related("project__organization")[:limit]
        ]
        count = chosen.count()
        line = "{id:>9}  {organization}/{project}  {format}  {received_at}  {attempts} tries  {problem}"
        lines = [line.format(**row) for row in rows]
        readable = "\n".join([*lines, f"{count} crashes are set aside."])
        self.print_result({"count": count, "crashes": rows}, readable, as_json=as_json)


def _chosen(options: dict[str, Any]) -> QuerySet[Crash]:
    """Crashes that are set aside, the oldest first. Raises CommandError."""
    chosen = Crash.objects.filter(state=Crash.State.SET_ASIDE).order_by("pk")
    if options["ids"]:
        chosen = chosen.filter(pk__in=options["ids"])
    if options["org"] is None:
        if options["project"] is not None:
            raise CommandError("--project: say which organization it belongs to with --org.")
        return chosen
    organization = organization_named(options["org"])
    if options["project"] is None:
        return chosen.filter(project__organization=organization)
    return chosen.filter(project=project_named(organization, options["project"]))


def _retry(chosen: QuerySet[Crash]) -> int:
    """In windows: no transaction holds a million rows."""
    last, count = 0, 0
    while ids := list(chosen.filter(pk__gt=last).values_list("pk", flat=True)[:_WINDOW]):
        count += queue(ids, priority=0, rerun=None)
        last = ids[-1]
    return count
