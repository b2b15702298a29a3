"""The functions and modules on the crashed stacks of groups: what a search by name looks in.

PostgreSQL's built-in indexes find the beginning of a text and not its middle. So a name is kept whole and from each of
its last parts on: `ledger::Book::post` is found by `ledger::b`, by `book::post` and by `post`. Groups are few where
crashes are many, and the crashes of one have nearly the same names: most crashes only look, and write nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final

import msgspec
from django.db import transaction

from core.postgresql.direct import first_row
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
RETURNING id
"""
# Of so many groups a process knows what they are found by, as far as the last crash of each goes.
_MOST_KNOWN: Final = 10_000
_known: dict[int, bytes] = {}


def remember(project_id: int, group_id: int, names: Collection[tuple[str, str]]) -> None:
    """Have a group found by these; see `searched_names`. In a transaction that holds the group's row."""
    if not names:
        return
    ordered = sorted(names)
    digest = sha256(msgspec.json.encode(ordered)).digest()
    if _known.get(group_id) == digest:
        return
    kinds, texts = zip(*ordered, strict=True)
    values: dict[str, Any] = {"project": project_id, "group": group_id, "kinds": list(kinds), "names": list(texts)}
    first_row(_MISSING, values | {"most": MOST_NAMES})
    # Names go with their group alone.
    transaction.on_commit(partial(_note, group_id, digest))


def _note(group_id: int, digest: bytes) -> None:
    _known.pop(group_id, None)
    _known[group_id] = digest
    if len(_known) > _MOST_KNOWN:
        del _known[next(iter(_known))]


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
