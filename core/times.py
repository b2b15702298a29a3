"""Moments that come from outside, before they go into a query."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime


def in_utc(moment: datetime) -> datetime | None:
    """The same moment in UTC, which is what a naive one is taken for; None where Python has no year for it.

    PostgreSQL takes no zone of sixteen hours and more, Python takes them up to a day.
    """
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def read_moment(text: str, *, naive: bool = False) -> datetime | None:
    """A moment in ISO 8601, in UTC; None for anything else, and without `naive` for one that names no zone."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return None if found is None or (found.tzinfo is None and not naive) else in_utc(found)
