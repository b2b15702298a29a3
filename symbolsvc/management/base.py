"""What the operator's commands have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError

from engine.errors import SymbolsvcError
from projects.models import Organization, Project
from projects.slugs import parse_ref


class OperatorCommand(BaseCommand):
    """A command that prints one result, as JSON or readably, and its errors in one line with exit status 1."""

    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except SymbolsvcError as error:
            raise CommandError(error.message) from None
        except ProgrammingError:
            raise CommandError("The database is not set up: run `manage.py migrate`, or `up` once.") from None

    def print_result(self, result: Mapping[str, Any], readable: str, *, as_json: bool) -> None:
        """Print the one result."""
        self.stdout.write(json.dumps(result) if as_json else readable)


def organization_named(reference: str) -> Organization:
    """An organization by slug or id. Raises CommandError."""
    found = Organization.objects.filter(**_by(reference)).first()
    if found is None:
        raise CommandError(f"There is no organization {reference}.")
    return found


def project_named(organization: Organization, reference: str) -> Project:
    """A project of the organization by slug or id. Raises CommandError."""
    found = Project.objects.filter(organization=organization, **_by(reference)).first()
    if found is None:
        raise CommandError(f"There is no project {reference} in {organization.slug}.")
    return found


def _by(reference: str) -> dict[str, Any]:
    parsed = parse_ref(reference)
    return {"id": parsed} if isinstance(parsed, int) else {"slug": reference}
