"""The statement that stores a report: planned once for a connection, however much waits."""

from __future__ import annotations

import pytest
from django.db import connection

from crashes.accepting import new_rxid
from crashes.models import Crash
from crashes.storing import _GIVEN, insert_crash

_MANY = """
    INSERT INTO crashes_crash ({columns}) SELECT {values}
    FROM (SELECT * FROM crashes_crash LIMIT 1) AS one, generate_series(1, 5000) AS number
"""


def values(project):
    given = dict.fromkeys(_GIVEN, "")
    return given | {
        "project_id": project.pk,
        "rxid": new_rxid(),
        "uuid": None,
        "occurred_at": None,
        "size": 1,
        "stored_bytes": 1,
        "attributes": {"a": 1},
        "classifiers": [],
        "modifiers": {},
        "state": Crash.State.PENDING.value,
    }


@pytest.mark.django_db
def test_it_is_not_planned_anew_where_many_crashes_wait(acme_project):
    assert insert_crash(values(acme_project)) is not None
    columns = [field.column for field in Crash._meta.concrete_fields if not field.primary_key]
    each = {"rxid": "number::text"}
    with connection.cursor() as cursor:
        chosen = ", ".join(each.get(column, f"one.{column}") for column in columns)
        cursor.execute(_MANY.format(columns=", ".join(columns), values=chosen))
        cursor.execute("ANALYZE crashes_crash")
        for _ in range(20):
            insert_crash(values(acme_project))
        cursor.execute(
            "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements"
            " WHERE statement LIKE '%INSERT INTO crashes_crash%'"
        )
        custom, generic = cursor.fetchone()
    # Some are planned before the planner trusts a plan for all.
    assert custom < 10 < generic
