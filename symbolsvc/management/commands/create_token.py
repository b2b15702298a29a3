"""Issue an API token. Its text is printed here and can never be had again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from projects import services
from projects.access import SYSTEM
from projects.models import Project
from symbolsvc.consumers import SOURCE_SCOPES, sentry_sources
from symbolsvc.management.base import OperatorCommand, organization_named, project_named

SENTRY_SOURCE: Final = "sentry-source"


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="SLUG")
        parser.add_argument("--project", metavar="SLUG", help="bind the token to this project")
        parser.add_argument("--scope", action="append", default=[], dest="scopes", metavar="SCOPE")
        parser.add_argument(
            "--purpose",
            choices=[SENTRY_SOURCE],
            help="the scopes of a purpose: `sentry-source` lets a Symbolicator read the files of --project,"
            " and prints how to configure it",
        )
        parser.add_argument("--url", default="", help="where the one with the token reaches this service")
        parser.add_argument("--expires", type=int, metavar="DAYS")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = organization_named(options["org"])
        project = project_named(organization, options["project"]) if options["project"] else None
        scopes = _scopes(options, project)
        days = options["expires"]
        if days is not None and not 0 < days <= services.LONGEST_LIFETIME.days:
            raise CommandError(f"--expires: from 1 to {services.LONGEST_LIFETIME.days} days")
        _, text = services.issue_token(
            organization=organization,
            project=project,
            actor=SYSTEM,
            scopes=scopes,
            name=options["name"] or options["purpose"] or "",
            expires_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        if options["purpose"] is None or project is None:
            self.print_result({"token": text}, text, as_json=options["json"])
            return
        configured = sentry_sources(organization, project, text, options["url"])
        readable = "\n\n".join(
            (text, *(f"{use}:\n{json.dumps(source, indent=2)}" for use, source in configured.items()))
        )
        self.print_result({"token": text, **configured}, readable, as_json=options["json"])


def _scopes(options: dict[str, Any], project: Project | None) -> list[str]:
    if options["purpose"] is None:
        if not options["scopes"]:
            raise CommandError("--scope: at least one, or a --purpose")
        return list(options["scopes"])
    if options["scopes"]:
        raise CommandError("--scope: the --purpose decides")
    if project is None:
        raise CommandError(f"--purpose {options['purpose']}: name a --project")
    return list(SOURCE_SCOPES)
