"""What the page of clients adds to the others: its tab, lines with a DSN, and how many crashes a project has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.db import connection

from crashes.models import Group, ProjectKey
from crashes.pages.lists_own import STEP
from crashes.sentry.dsn import Dsns, dsns_of
from crashes.sentry.keys_api import SCOPES
from projects.models import Project
from projects.pages import Tab, register_tab
from projects.pages.commands import Command, Place, register_commands
from projects.pages.glances import Glance, register_glance

# Counting on would make a list of projects slow, and tells nobody more.
_MOST: Final = 10_000
_COUNTS: Final = """
SELECT chosen.id, (
    SELECT count(*) FROM (
        SELECT FROM crashes_group AS one WHERE one.project_id = chosen.id AND one.state = %(open)s LIMIT %(most)s
    ) AS bounded
), (
    SELECT count(*) FROM (
        SELECT FROM crashes_crash AS one
        WHERE one.project_id = chosen.id AND one.received_at >= now() - interval '24 hours' LIMIT %(most)s
    ) AS bounded
)
FROM unnest(%(projects)s::bigint[]) AS chosen (id)
"""


def register() -> None:
    """Once per process."""
    register_tab(Tab("Clients", "crash_pages:clients", SCOPES["GET"], 80))
    register_commands(lines)
    register_glance(counts)


def lines(place: Place) -> Iterator[Command]:
    """How a program with Sentry's client reports, where a DSN is there already."""
    if place.project is not None:
        key = ProjectKey.objects.filter(project=place.project, is_active=True).first()
        if key is not None:
            yield from sentry_lines(dsns_of(key, place.base))


def sentry_lines(dsns: Dsns) -> list[Command]:
    """How Sentry's clients are set up with a DSN. They need no token."""
    by_hand = f"curl -F upload_file_minidump=@crash.dmp '{dsns.minidump}'"
    return [
        Command("Any client of Sentry, by its environment", f"export SENTRY_DSN={dsns.public}", (), STEP),
        Command("Python", f'sentry_sdk.init("{dsns.public}")', (), STEP),
        Command("JavaScript", f'Sentry.init({{ dsn: "{dsns.public}" }});', (), STEP),
        Command("A minidump with the DSN's key (Electron's crashReporter too)", by_hand, (), STEP),
    ]


def counts(projects: Sequence[Project]) -> Mapping[int, Sequence[Glance]]:
    """Open groups and the crashes of a day, for all projects by one bounded query."""
    values: dict[str, Any] = {
        "open": Group.State.OPEN.value,
        "most": _MOST,
        "projects": [project.pk for project in projects],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, values)
        return {key: [_glance("Open groups", groups), _glance("Crashes, 24 h", day)] for key, groups, day in cursor}


def _glance(label: str, value: int) -> Glance:
    return Glance(label, value, value >= _MOST)
