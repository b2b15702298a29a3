"""The stored sources of a project, for `--project`: all that needs Django and the database."""

from __future__ import annotations

from django.core.management.base import CommandError

from debugfiles.composing import project_sources
from projects.access import SYSTEM, ProjectAccess
from symbolsvc.management.base import organization_named, project_named
from symbolsvc.shell.arguments import UsageError
from symbolsvc.shell.asking import Stored


def open_project(reference: str) -> Stored:
    """The sources of `ORG/PROJECT`, by slugs or ids. Raises UsageError."""
    organization_reference, separator, project_reference = reference.partition("/")
    if not separator:
        raise UsageError("--project: write ORG/PROJECT")
    try:
        organization = organization_named(organization_reference)
        project = project_named(organization, project_reference)
    except CommandError as error:
        raise UsageError(f"--project: {error}") from None
    opened = project_sources(ProjectAccess(organization, project, SYSTEM, frozenset()))
    return Stored(opened.sources, opened.asked, opened.unasked)
