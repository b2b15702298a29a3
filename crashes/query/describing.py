"""What an organization, its projects and their attributes are, in the words of Backtrace."""

from __future__ import annotations

from typing import Any, Final

from crashes.query.attributes import CALLSTACK, KNOWN
from crashes.query.entering import Reader
from crashes.query.literals import Binder
from crashes.query.running import limited, rows
from projects.models import Project

# The newest crashes are looked at for attributes that clients send.
_SENT: Final = """
    SELECT DISTINCT jsonb_object_keys(attributes) AS name FROM (
        SELECT attributes FROM crashes_crash WHERE project_id = {project}
        ORDER BY received_at DESC, id DESC LIMIT 1000
    ) newest
    ORDER BY 1 LIMIT 1000
"""


def attributes_of(project: Project) -> list[dict[str, Any]]:
    """What can be asked about a project's crashes: what every crash has, and what clients sent lately (`custom`)."""
    bind = Binder()
    statement = _SENT.format(project=bind(project.pk))
    with limited():
        sent = [name for (name,) in rows(statement, bind) if name not in KNOWN and name != CALLSTACK]
    known = [_attribute(name, one.type, one.format, custom=False) for name, one in KNOWN.items()]
    stack = _attribute(CALLSTACK, "dictionary", CALLSTACK, custom=False)
    return [*known, stack, *(_attribute(name, "dictionary", "none", custom=True) for name in sent)]


def _attribute(name: str, type_: str, format_: str, *, custom: bool) -> dict[str, Any]:
    return {"name": name, "type": type_, "format": format_, "custom": custom, "description": None}


def signed_in(reader: Reader) -> dict[str, Any]:
    """The answer to a login: the token that the client came with is the one that it goes on with."""
    return {"token": reader.token, "error": None, "universe": _universe(reader)}


def configuration(reader: Reader) -> dict[str, Any]:
    """The organization, and its projects that the token opens."""
    if reader.project is not None:
        projects = [reader.project]
    else:
        projects = list(Project.objects.filter(organization=reader.organization).order_by("pk"))
    return {
        "universe": _universe(reader),
        "universes": [_universe(reader)],
        "projects": [
            {"pid": project.pk, "name": project.slug, "universe": reader.organization.slug, "deleted": 0}
            for project in projects
        ],
        "error": None,
    }


def _universe(reader: Reader) -> dict[str, Any]:
    return {"id": reader.organization.pk, "name": reader.organization.slug}
