"""Whether a column is one of many values: as one value of the statement, for a list of thousands takes long to plan."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Lookup
from django.db.models.sql.compiler import SQLCompiler


class AnyOf(Lookup):
    """`AnyOf(F("group"), [1, 2])`: numbers, as a condition of `filter`. Of none of them nothing is found."""

    lookup_name = "any_of"
    prepare_rhs = False
    output_field = BooleanField()

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        left, values = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s::bigint[])", (*values, list(self.rhs))
