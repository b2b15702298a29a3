"""Pages of a list, with the `Link` header that clients of Sentry follow.

A cursor is `id:0:backwards`: the page begins after (or, backwards, ends before) the row with this id, so that no row
appears twice, or not at all, because others were added or removed meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from core.api import ApiError
from projects.slugs import BIGINT_MAX

MOST: Final = 100
_CURSOR: Final = re.compile(r"([0-9]{1,19}):[0-9]{1,19}:([01])")

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Cursor:
    after: int
    backwards: bool

    def __str__(self) -> str:
        return f"{self.after}:0:{int(self.backwards)}"


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: list[Row]
    link: str


def paginate(request: Request, rows: QuerySet[Row], *, newest_first: bool = False) -> Page[Row]:
    """The page of `rows` that the query (`cursor`, `per_page`) asks for. Raises ApiError when that is malformed."""
    cursor, size = _cursor(request.query_params.get("cursor", "")), page_size(request.query_params.get("per_page", ""))
    backwards = cursor is not None and cursor.backwards
    downwards = newest_first != backwards
    part = rows.order_by("-id" if downwards else "id")
    if cursor is not None:
        part = part.filter(**{"id__lt" if downwards else "id__gt": cursor.after})
    found = list(part[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    # A cursor comes from a neighbouring page, so where there is one, there are rows on that side.
    before, after = (more, True) if backwards else (cursor is not None, more)
    return Page(found, _link(request, found, before=before, after=after))


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    match = _CURSOR.fullmatch(text)
    if match is None or int(match[1]) > BIGINT_MAX:
        raise ApiError("cursor: is malformed", field="cursor")
    return Cursor(int(match[1]), match[2] == "1")


def page_size(text: str) -> int:
    """How many rows a page has, from `per_page`. Raises ApiError for what is no number from 1 to MOST."""
    if not text:
        return MOST
    if re.fullmatch("[0-9]{1,3}", text) is None or not 1 <= int(text) <= MOST:
        raise ApiError(f"per_page: a number from 1 to {MOST}", field="per_page")
    return int(text)


def _link(request: Request, rows: list[Row], *, before: bool, after: bool) -> str:
    first, last = (rows[0].pk, rows[-1].pk) if rows else (0, 0)
    previous = relation(request, "previous", Cursor(first, True), before and bool(rows))
    return f"{previous}, {relation(request, 'next', Cursor(last, False), after and bool(rows))}"


def relation(request: Request, name: str, cursor: object, exists: bool) -> str:
    """One part of a `Link` header: the same request with another cursor."""
    query = request.query_params.copy()
    query["cursor"] = str(cursor)
    url = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return f'<{url}>; rel="{name}"; results="{str(exists).lower()}"; cursor="{cursor}"'
