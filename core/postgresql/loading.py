"""Rows of models without a query set: a statement that is written once, and prepared where it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


class Loading(Generic[M]):
    """How a model's rows are read. `columns` are all of its table's, to be selected in this order."""

    def __init__(self, model: type[M]) -> None:
        fields = model._meta.concrete_fields
        self._model: Final = model
        self._names: Final = [field.attname for field in fields]
        # Most values are what the driver makes of them already.
        own = ((at, field.get_db_converters(connection), field) for at, field in enumerate(fields))
        self._converters: Final = [(at, found[0], field) for at, found, field in own if found]
        self.columns: Final = ", ".join(f"{model._meta.db_table}.{field.column}" for field in fields)
        self.width: Final = len(fields)

    def made(self, values: Sequence[Any]) -> M:
        """The instance that a query set would give."""
        row = list(values)
        for at, convert, field in self._converters:
            row[at] = convert(row[at], field.cached_col, connection)
        return self._model.from_db(connection.alias, self._names, row)
