"""Moments that come from outside, before they go into a query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.utils.dateparse import parse_datetime

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, which is what a naive one is taken for; the first or last that there is beyond those.

    PostgreSQL takes no zone of sixteen hours and more, Python takes them up to a day.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year == datetime.min.year else _LAST


def read_moment(text: str, *, naive: bool = False) -> datetime | None:
    """A moment in ISO 8601, in UTC; None for anything else, and without `naive` for one that names no zone."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return None if found is None or (found.tzinfo is None and not naive) else in_utc(found)
