"""The functions and modules on the crashed stacks of groups: what a search by name looks in.

PostgreSQL's built-in indexes find the beginning of a text and not its middle. So a name is kept whole and from each of
its last parts on: `ledger::Book::post` is found by `ledger::b`, by `book::post` and by `post`. Groups are few where
crashes are many, and the crashes of one have nearly the same names: most crashes only look, and write nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from django.db import connection

from core.text import storable
from crashes.grouping.names import family, plain_name
from crashes.grouping.stacks import base_name, chosen_stack
from crashes.models import GroupName
from crashes.models.group import NAME_LENGTH
from crashes.results import Frame, Result

# Of one group; what a hostile client makes up beyond is not found by.
MOST_NAMES: Final = 2_000
_MOST_FRAMES: Final = 100
_MOST_PARTS: Final = 4
_SEPARATOR: Final = re.compile(r"::|[./$#\\]|(?<=[\w\])]) (?=[\w\[(])|[+-]\[")
_MISSING: Final = """
INSERT INTO crashes_groupname (project_id, group_id, kind, name)
SELECT %(project)s, %(group)s, given.kind, given.name
FROM unnest(%(kinds)s::text[], %(names)s::text[]) AS given (kind, name)
WHERE NOT EXISTS (
    SELECT FROM crashes_groupname AS known
    WHERE known.group_id = %(group)s AND known.kind = given.kind AND known.name = given.name
) AND (SELECT count(*) FROM crashes_groupname AS known WHERE known.group_id = %(group)s) < %(most)s
ON CONFLICT DO NOTHING
"""


def remember(project_id: int, group_id: int, names: Collection[tuple[str, str]]) -> None:
    """Have a group found by these; see `searched_names`. In a transaction that holds the group's row."""
    if not names:
        return
    kinds, texts = zip(*sorted(names), strict=True)
    values: dict[str, Any] = {"project": project_id, "group": group_id, "kinds": list(kinds), "names": list(texts)}
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, values | {"most": MOST_NAMES})


def searched_names(result: Result) -> set[tuple[str, str]]:
    """Kind and name of all that a search for a result may begin with."""
    return set(_searched(result))


def _searched(result: Result) -> Iterator[tuple[str, str]]:
    thread = chosen_stack(result)
    for frame in () if thread is None else thread.frames[:_MOST_FRAMES]:
        for text in _functions(frame, result):
            yield from ((GroupName.Kind.FUNCTION.value, name) for name in beginnings(text))
        module = as_searched(base_name(frame.package or frame.module or ""))
        if module:
            yield GroupName.Kind.MODULE.value, module


def beginnings(name: str) -> Sequence[str]:
    """A name and its last parts, each as it is searched."""
    places = [0, *(found.end() for found in _SEPARATOR.finditer(name))]
    found = (as_searched(name[place:]) for place in (places[0], *places[-_MOST_PARTS:]))
    return [text for text in dict.fromkeys(found) if text]


def as_searched(name: str) -> str:
    """In the case and length that names are compared in."""
    return storable(name).strip().lower()[:NAME_LENGTH].rstrip()


def _functions(frame: Frame, result: Result) -> Iterator[str]:
    name = frame.function or frame.symbol or ""
    if name:
        yield plain_name(name, family(frame.lang or result.platform))
