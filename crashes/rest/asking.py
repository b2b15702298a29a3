"""What the endpoints of crashes have in common: addresses, scopes, and what a query of a list asks for."""

from __future__ import annotations

import re
from typing import Any, Final

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api import ApiView, not_found
from core.openapi import challenge
from core.text import storable
from crashes.models import Crash, Group
from projects.access import ProjectAccess, open_project
from projects.models import Project
from projects.openapi import ORGANIZATION, PROJECT

READ: Final = ("event:read",)
RAW: Final = ("event:raw",)
WRITE: Final = ("event:write",)
ADMIN: Final = ("event:admin",)
TAG: Final = ["Crashes"]
CRASH: Final = OpenApiParameter(
    "crash_id", str, OpenApiParameter.PATH, description="The crash's number, or its `_rxid`."
)
PLACE: Final = (ORGANIZATION, PROJECT, challenge())

_BEGINS: Final = "begins like this, itself or one of its last parts, in any case of letters"
_MANY: Final = {"many": True, "explode": True}
_DIGITS: Final = re.compile("[0-9]{1,18}")


class CrashView(ApiView):
    """An endpoint below a project."""

    def open(self, request: Request, names: dict[str, str], any_of: tuple[str, ...] = READ) -> ProjectAccess:
        """The project of the address, for a caller with one of the scopes."""
        return open_project(request, names["organization_id_or_slug"], names["project_id_or_slug"], any_of=any_of)


def query(name: str, text: str, type_: Any = str, **more: Any) -> OpenApiParameter:
    """A parameter of the query."""
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=text, **more)


_SAID: Final = (
    query("version", "Crashes of this version of the application."),
    query("platform", "Crashes of this platform: native, javascript, jvm, or what the client calls it."),
    query("os", "Crashes of this operating system."),
    query("since", "Crashes that were received then or later: a time with its zone.", OpenApiTypes.DATETIME),
    query("until", "Crashes that were received before.", OpenApiTypes.DATETIME),
    query("unnamed", "1: crashes with frames that should have a name and have none.", enum=("0", "1")),
    query("attr.NAME", "Crashes whose attribute NAME is this; up to ten of them."),
)
FILTERS: Final = (
    query("group", "Crashes of this group, by its id."),
    query("state", "Crashes in this state of processing.", enum=Crash.State.values),
    *_SAID,
    query("fn", f"Crashes whose group has a function on its crashed stack that {_BEGINS}.", **_MANY),
    query("module", f"Crashes whose group has a module on its crashed stack that {_BEGINS}.", **_MANY),
    query("query", "Crashes whose group has this text in its title or culprit, in any case of letters."),
)
GROUP_FILTERS: Final = (
    query("state", "Groups in this state.", enum=Group.State.values),
    query("fn", f"Groups with a function on the crashed stack that {_BEGINS}.", **_MANY),
    query("module", f"Groups with a module on the crashed stack that {_BEGINS}.", **_MANY),
    query("query", "Groups with this text in title or culprit, in any case of letters."),
    *(query(one.name, f"Groups with such crashes: {one.description}", one.type, enum=one.enum) for one in _SAID),
)


def find_crash(project: Project, reference: str) -> Crash:
    """The crash of a project by number or `_rxid`. Raises NotFound."""
    by = Q(pk=int(reference)) if _DIGITS.fullmatch(reference) else Q(rxid=storable(reference).lower())
    found = Crash.objects.filter(by, project=project).first()
    if found is None:
        raise not_found()
    return found


def find_group(project: Project, reference: str) -> Group:
    """The group of a project by its number. Raises NotFound."""
    found = Group.objects.filter(project=project, pk=row_number(reference)).first()
    if found is None:
        raise not_found()
    return found


def row_number(text: str) -> int:
    """The number of a row in an address. Raises NotFound for what is none."""
    if _DIGITS.fullmatch(text) is None:
        raise not_found()
    return int(text)
