"""Have the crashes of projects grouped again from their stored results, in the background."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from crashes.grouping import regrouping
from projects.access import SYSTEM
from projects.models import Project
from symbolsvc.management.base import OperatorCommand, organization_named, project_named


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--org", metavar="SLUG", help="the projects of this organization")
        parser.add_argument("--project", metavar="SLUG", help="this project (needs --org)")
        parser.add_argument("--all", action="store_true", help="all projects of the installation")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = [
            {
                "id": run.pk,
                "organization": run.project.organization.slug,
                "project": run.project.slug,
                "total": run.total,
            }
            for run in (
                regrouping.start(project=project, actor=SYSTEM, reason="manage.py regroup")
                for project in _chosen(options)
            )
        ]
        lines = ["run {id}: {organization}/{project}, {total} crashes".format(**run) for run in runs]
        self.print_result({"runs": runs}, "\n".join(lines) or "There are no projects.", as_json=options["json"])


def _chosen(options: dict[str, Any]) -> QuerySet[Project]:
    rows = Project.objects.select_related("organization").order_by("pk")
    if options["org"] is None:
        if options["project"] is not None:
            raise CommandError("--project: say which organization it belongs to with --org.")
        if not options["all"]:
            raise CommandError("Name an organization with --org, or say --all.")
        return rows
    organization = organization_named(options["org"])
    if options["project"] is None:
        return rows.filter(organization=organization)
    return rows.filter(pk=project_named(organization, options["project"]).pk)
