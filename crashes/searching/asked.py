"""What is asked of a list, and how it stands in the query of an address."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from core.api import ApiError
from core.text import storable
from core.times import read_moment
from crashes.models import Crash, Group

ATTRIBUTE: Final = "attr."
MOST_ATTRIBUTES: Final = 10
MOST_WORDS: Final = 10
TEXT_LENGTH: Final = 250
NUMBER: Final = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Asked:
    """All of it has to hold; what is empty is not asked.

    `functions` and `modules` are beginnings of names on the crashed stack, `texts` are parts of title or culprit: these
    and `group_state` are about groups, everything else about single crashes.
    """

    texts: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    group_state: str = ""
    regressed: bool = False
    group: int | None = None
    state: str = ""
    version: str = ""
    platform: str = ""
    os: str = ""
    unnamed: bool = False
    since: datetime | None = None
    until: datetime | None = None
    lacking: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    def joined(self, other: Asked) -> Asked:
        """Both; of what can be asked once only, the other's goes before."""
        values: dict[str, Any] = {}
        for one in fields(self):
            mine, its = getattr(self, one.name), getattr(other, one.name)
            values[one.name] = mine + its if isinstance(mine, tuple) else its or mine
        return Asked(**values)

    @property
    def is_about_groups(self) -> bool:
        return bool(self.texts or self.functions or self.modules or self.group_state or self.regressed)

    @property
    def is_about_crashes(self) -> bool:
        """Whether something is said about single crashes, besides of which group they are."""
        return any(getattr(self, one.name) for one in fields(self) if one.name not in _OF_GROUPS)


_OF_GROUPS: Final = frozenset({"texts", "functions", "modules", "group_state", "regressed", "group"})


def read_query(query: QueryDict, *, of_groups: bool = False) -> Asked:
    """What a query asks; `state` is that of groups or of crashes. Raises ApiError (400)."""
    state = _one_of(Group.State.values if of_groups else Crash.State.values, "state", query.get("state", ""))
    group = _text(query, "group")
    if group and NUMBER.fullmatch(group) is None:
        raise ApiError("group: the number of a group", field="group")
    text = _text(query, "query")
    return Asked(
        texts=(text,) if text else (),
        functions=_texts(query, "fn"),
        modules=_texts(query, "module"),
        group=int(group) if group else None,
        group_state=state if of_groups else "",
        state="" if of_groups else state,
        version=_text(query, "version"),
        platform=_text(query, "platform"),
        os=_text(query, "os"),
        unnamed=_one_of(("0", "1"), "unnamed", query.get("unnamed", "")) == "1",
        since=_time(query, "since"),
        until=_time(query, "until"),
        attributes=_attributes(query),
    )


def _one_of(known: tuple[str, ...] | list[str], name: str, text: str) -> str:
    if text and text not in known:
        raise ApiError(f"{name}: is not one of the allowed values", field=name)
    return text


def _text(query: QueryDict, name: str) -> str:
    return _bounded(name, query.get(name, ""))


def _texts(query: QueryDict, name: str) -> tuple[str, ...]:
    values = [value for value in query.getlist(name) if value]
    if len(values) > MOST_WORDS:
        raise ApiError(f"{name}: at most {MOST_WORDS} of them", field=name)
    return tuple(_bounded(name, value) for value in values)


def _bounded(name: str, value: str) -> str:
    text = storable(value)
    if len(text) > TEXT_LENGTH:
        raise ApiError(f"{name}: is too long", field=name)
    return text


def _time(query: QueryDict, name: str) -> datetime | None:
    text = query.get(name, "")
    if not text:
        return None
    # A plus sign that nobody escaped has become a space.
    found = read_moment(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    if found is None:
        raise ApiError(f"{name}: a time with its zone, such as 2026-01-31T12:00:00Z", field=name)
    return found


def _attributes(query: QueryDict) -> tuple[tuple[str, str], ...]:
    names = [name for name in query if name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)]
    if len(names) > MOST_ATTRIBUTES:
        raise ApiError(f"attr: at most {MOST_ATTRIBUTES} of them", field="attr")
    return tuple((storable(name.removeprefix(ATTRIBUTE)), storable(query.get(name, ""))) for name in names)
