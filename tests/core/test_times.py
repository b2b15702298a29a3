"""Moments that come from outside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.times import in_utc, read_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00-16:36", datetime(2026, 2, 1, 4, 36, tzinfo=UTC)),
        ("0203-02-24T10:25:22+23:59", datetime(203, 2, 23, 10, 26, 22, tzinfo=UTC)),
        ("2026-01-31T12:00:00", None),
        ("0001-01-01T00:00:00+01:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-01:00", datetime.max.replace(tzinfo=UTC)),
        ("2026-13-31T12:00:00Z", None),
        ("soon", None),
    ],
)
def test_a_moment_is_read_in_utc_which_any_database_takes(text, moment):
    found = read_moment(text)
    assert found == moment
    assert found is None or found.tzinfo is UTC


def test_a_moment_without_a_zone_counts_as_utc_where_that_is_allowed():
    naive = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - the case in question
    assert read_moment("2026-01-31T12:00:00", naive=True) == in_utc(naive) == datetime(2026, 1, 31, 12, tzinfo=UTC)
