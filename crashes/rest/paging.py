"""Pages in another order than that of ids: newest first, or largest.

A cursor is `key-id:0:backwards`: what the row at the page's edge is sorted by (a number; of times the microseconds
since the epoch) and its id. As in `projects.paging` no row appears twice because others came or went meanwhile; one
whose key changes meanwhile may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from core.api import ApiError
from projects.paging import Page, page_size, relation
from projects.slugs import BIGINT_MAX

_CURSOR: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19}):[0-9]{1,19}:([01])")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Edge:
    """A row at the edge of a page, by what it is sorted by."""

    key: int
    row_id: int
    backwards: bool

    def __str__(self) -> str:
        return f"{self.key}-{self.row_id}:0:{int(self.backwards)}"


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """The rows of a page; `previous` and `next` are the cursors of the pages beside it, None where there is none."""

    rows: list[Row]
    previous: Edge | None
    next: Edge | None


def paginate_by(request: Request, rows: QuerySet[Row], field: str) -> Page[Row]:
    """The page of `rows`, highest `field` first, that the query asks for. Raises ApiError when that is malformed.

    `field` is a number or a time and never null; it should have an index with the id behind it.
    """
    query = request.query_params
    part = part_by(query.get("cursor", ""), rows, field, page_size(query.get("per_page", "")))
    previous = relation(
        request, "previous", part.previous or Edge(*_first(part.rows, field), True), bool(part.previous)
    )
    after = relation(request, "next", part.next or Edge(*_last(part.rows, field), False), bool(part.next))
    return Page(part.rows, f"{previous}, {after}")


def part_by(cursor: str, rows: QuerySet[Row], field: str, size: int) -> Part[Row]:
    """Up to `size` of `rows`, highest `field` first, from the cursor on. Raises ApiError for a malformed one."""
    edge = _edge(cursor)
    backwards = edge is not None and edge.backwards
    ordered = rows.order_by(field, "id") if backwards else rows.order_by(f"-{field}", "-id")
    if edge is not None:
        ordered = ordered.filter(_beyond(rows, field, edge))
    found = list(ordered[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    before, after = (more, True) if backwards else (edge is not None, more)
    return Part(
        found,
        Edge(*_first(found, field), True) if before and found else None,
        Edge(*_last(found, field), False) if after and found else None,
    )


def _beyond(rows: QuerySet[Row], field: str, edge: Edge) -> Q:
    """Behind the edge. The first condition follows from the second, and is the one that an index serves."""
    is_time = rows.model._meta.get_field(field).get_internal_type() == "DateTimeField"
    key = _time(edge.key) if is_time else edge.key
    side = "gt" if edge.backwards else "lt"
    ties = Q(**{field: key, f"id__{side}": edge.row_id})
    return Q(**{f"{field}__{side}e": key}) & (Q(**{f"{field}__{side}": key}) | ties)


def _edge(text: str) -> Edge | None:
    if not text:
        return None
    match = _CURSOR.fullmatch(text)
    if match is None or max(int(match[1]), int(match[2])) > BIGINT_MAX:
        raise _malformed()
    return Edge(int(match[1]), int(match[2]), match[3] == "1")


def _time(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise _malformed() from None


def _malformed() -> ApiError:
    return ApiError("cursor: is malformed", field="cursor")


def _first(rows: list[Row], field: str) -> tuple[int, int]:
    return _key(rows[0], field) if rows else (0, 0)


def _last(rows: list[Row], field: str) -> tuple[int, int]:
    return _key(rows[-1], field) if rows else (0, 0)


def _key(row: Model, field: str) -> tuple[int, int]:
    value = getattr(row, field)
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else int(value), int(row.pk)
