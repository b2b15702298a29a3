"""Lists in pages, newest first, with links to what is older and newer.

A link names the row that its page begins or ends at, so that nothing appears twice because something else came or went.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from core.text import storable

ROWS: Final = 50
_NUMBER: Final = re.compile("[0-9]{1,18}")
_LONGEST: Final = 8192

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """A page of a list. `older` and `newer` are where the neighbouring pages begin; None where there is none."""

    rows: list[Row]
    older: int | None
    newer: int | None


def listed(request: HttpRequest, rows: QuerySet[Row]) -> Listed[Row]:
    """The page that the query asks for: `before` or `after` a row. What is malformed is passed over."""
    before, after = _number(request, "before"), _number(request, "after")
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: ROWS + 1])
        more, shown = len(found) > ROWS, found[:ROWS][::-1]
        return Listed(shown, shown[-1].pk if shown else None, shown[0].pk if more else None)
    part = rows if before is None else rows.filter(pk__lt=before)
    found = list(part.order_by("-pk")[: ROWS + 1])
    more, shown = len(found) > ROWS, found[:ROWS]
    return Listed(shown, shown[-1].pk if more else None, shown[0].pk if shown and before is not None else None)


def text_of(request: HttpRequest, name: str) -> str:
    """A text of the query, such as the database can be asked for."""
    return storable(request.GET.get(name, "").strip())[:_LONGEST]


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else None
