"""A query together with the project that it is about: what selecting and folding have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crashes.query.attributes import FROM
from crashes.query.bodies import Query
from crashes.query.conditions import conditions
from crashes.query.literals import Binder
from projects.models import Project


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer."""

    op: str
    name: str
    format: str = "none"
    type: str = "dictionary"

    @property
    def title(self) -> str:
        """How clients refer to it."""
        return f"{self.op}({self.name})" if self.op else self.name


@dataclass(frozen=True, slots=True)
class Asked:
    """`source` is `FROM … WHERE …` over the crashes that meet the filter, its values in `bind`."""

    query: Query
    bind: Binder
    source: str

    @property
    def page(self) -> str:
        """The part of the rows that is wanted."""
        return f"LIMIT {self.query.limit:d} OFFSET {self.query.offset:d}"


def ask(project: Project, query: Query) -> Asked:
    """Read the filter of a query. Raises Refusal (400)."""
    bind = Binder()
    where = [f"c.project_id = {bind(project.pk)}", *conditions(query.filter, bind)]
    return Asked(query, bind, f"FROM {FROM} WHERE {' AND '.join(where)}")


def described(columns: list[Column]) -> dict[str, Any]:
    """What an answer says of its columns."""
    return {
        "columns": [[column.title, column.format] for column in columns],
        "columns_desc": [
            {"op": column.op, "name": column.name, "format": column.format, "type": column.type} for column in columns
        ],
    }
