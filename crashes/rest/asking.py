"""What the endpoints of crashes have in common: addresses, scopes, and what a query of a list asks for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.api import ApiError, ApiView, not_found
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

_ATTRIBUTE: Final = "attr."
_MOST_ATTRIBUTES: Final = 10
_MOST_GROUPS: Final = 1_000
_TEXT_LENGTH: Final = 200
_DIGITS: Final = re.compile("[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Final = {"true": True, "false": False, "null": None}


class CrashView(ApiView):
    """An endpoint below a project."""

    def open(self, request: Request, names: dict[str, str], any_of: tuple[str, ...] = READ) -> ProjectAccess:
        """The project of the address, for a caller with one of the scopes."""
        return open_project(request, names["organization_id_or_slug"], names["project_id_or_slug"], any_of=any_of)


def query(name: str, text: str, type_: Any = str, **more: Any) -> OpenApiParameter:
    """A parameter of the query."""
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=text, **more)


FILTERS: Final = (
    query("group", "Crashes of this group, by its id."),
    query("state", "Crashes in this state of processing.", enum=Crash.State.values),
    query("version", "Crashes of this version of the application."),
    query("platform", "Crashes of this platform: native, javascript, jvm, or what the client calls it."),
    query("os", "Crashes of this operating system."),
    query("since", "Crashes that were received then or later: a time with its zone.", OpenApiTypes.DATETIME),
    query("until", "Crashes that were received before.", OpenApiTypes.DATETIME),
    query("query", "Crashes whose group has this text in its title or culprit, in any case of letters."),
    query("attr.NAME", "Crashes whose attribute NAME is this; up to ten of them."),
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


def asked_crashes(project: Project, request: Request) -> QuerySet[Crash]:
    """The crashes that the query asks for. Raises ApiError (400)."""
    asked = {name: _text(request, name) for name in ("state", "version", "platform", "os", "group", "query")}
    if asked["state"] and asked["state"] not in Crash.State.values:
        raise ApiError("state: is not one of the allowed values", field="state")
    if asked["group"] and _DIGITS.fullmatch(asked["group"]) is None:
        raise ApiError("group: the number of a group", field="group")
    columns = {"state": "state", "version": "version", "platform": "platform", "os": "os_name", "group": "group_id"}
    rows = Crash.objects.filter(project=project)
    rows = rows.filter(**{column: asked[name] for name, column in columns.items() if asked[name]})
    since, until = _time(request, "since"), _time(request, "until")
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    if until is not None:
        rows = rows.filter(received_at__lt=until)
    for condition in _attributes(request):
        rows = rows.filter(condition)
    return rows.filter(group_id__in=_groups(project, asked["query"])) if asked["query"] else rows


def text_matches(text: str) -> Q:
    """Groups with a text in title or culprit."""
    return Q(title__icontains=text) | Q(culprit__icontains=text)


def searched_text(request: Request) -> str:
    """The `query` of a request. Raises ApiError when it is too long."""
    return _text(request, "query")


def _groups(project: Project, text: str) -> list[int]:
    # Groups are few where crashes are many; the ids are asked first since nobody can guess how many a text matches.
    rows = Group.objects.filter(text_matches(text), project=project).order_by("-last_seen", "-id")
    return list(rows.values_list("pk", flat=True)[:_MOST_GROUPS])


def _text(request: Request, name: str) -> str:
    text = storable(request.query_params.get(name, ""))
    if len(text) > _TEXT_LENGTH + 50:
        raise ApiError(f"{name}: is too long", field=name)
    return text


def _time(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        # A plus sign that nobody escaped has become a space.
        found = parse_datetime(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ApiError(f"{name}: a time with its zone, such as 2026-01-31T12:00:00Z", field=name)
    return found


def _attributes(request: Request) -> Iterator[Q]:
    names = [name for name in request.query_params if name.startswith(_ATTRIBUTE) and len(name) > len(_ATTRIBUTE)]
    if len(names) > _MOST_ATTRIBUTES:
        raise ApiError(f"attr: at most {_MOST_ATTRIBUTES} of them", field="attr")
    for name in names:
        key = storable(name.removeprefix(_ATTRIBUTE))
        readings = list(_readings(storable(request.query_params[name])))
        condition = Q(attributes__contains={key: readings[0]})
        for value in readings[1:]:
            condition |= Q(attributes__contains={key: value})
        yield condition


def _readings(text: str) -> Iterator[str | int | float | bool | None]:
    """What a text in a query may mean as the value of an attribute."""
    yield text
    if text in _WORDS:
        yield _WORDS[text]
    elif _NUMBER.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            yield int(text) if re.fullmatch("-?[0-9]+", text) else number
