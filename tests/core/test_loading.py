"""Rows of models by statements of their own: as a query set gives them."""

from __future__ import annotations

import pytest
from django.db import models

from core.postgresql.direct import first_row
from core.postgresql.loading import Loading
from core.postgresql.together import last_row
from projects.models import Organization, Project

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Organization, Project], ids=lambda model: model.__name__)
def test_a_row_becomes_what_a_query_set_gives(acme_project: Project, model: type[models.Model]) -> None:
    Project.objects.filter(pk=acme_project.pk).update(builtin_sources=["a", "b"], files_revision=7)
    loading = Loading(model)
    expected = model._default_manager.get()

    row = first_row(f"SELECT {loading.columns} FROM {model._meta.db_table}", ())

    assert row is not None
    made = loading.made(row)
    assert loading.width == len(row)
    assert made == expected
    assert values(made) == values(expected)
    assert (made._state.adding, made._state.db) == (False, "default")


def values(row: models.Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_statements_that_go_together_see_each_other(acme_project: Project) -> None:
    name = "UPDATE projects_project SET name = %s WHERE id = %s"
    row = last_row(
        [(name, ("first", acme_project.pk)), ("SELECT name FROM projects_project WHERE id = %s", (acme_project.pk,))]
    )
    assert row == ("first",)


@pytest.mark.django_db(transaction=True)
def test_statements_that_go_together_are_one_transaction(acme_project: Project) -> None:
    name = "UPDATE projects_project SET name = %s WHERE id = %s"
    with pytest.raises(Exception, match="division by zero"):
        last_row([(name, ("first", acme_project.pk)), ("SELECT 1 / %s", (0,))])
    acme_project.refresh_from_db()
    assert acme_project.name != "first"
    assert last_row([("SELECT 1", ())]) == (1,)
