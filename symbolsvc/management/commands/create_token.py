"""Issue an API token. Its text is printed here and can never be had again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from projects import services
from projects.access import SYSTEM
from symbolsvc.management.base import OperatorCommand, organization_named, project_named


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="SLUG")
        parser.add_argument("--project", metavar="SLUG", help="bind the token to this project")
        parser.add_argument("--scope", action="append", required=True, dest="scopes", metavar="SCOPE")
        parser.add_argument("--expires", type=int, metavar="DAYS")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = organization_named(options["org"])
        project = project_named(organization, options["project"]) if options["project"] else None
        days = options["expires"]
        if days is not None and not 0 < days <= services.LONGEST_LIFETIME.days:
            raise CommandError(f"--expires: from 1 to {services.LONGEST_LIFETIME.days} days")
        _, text = services.issue_token(
            organization=organization,
            project=project,
            actor=SYSTEM,
            scopes=options["scopes"],
            name=options["name"],
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        self.print_result({"token": text}, text, as_json=options["json"])
