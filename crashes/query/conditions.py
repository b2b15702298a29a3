"""Filters as conditions in SQL.

A crash without the attribute meets none of the conditions about it but the negative ones: it is not equal to anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import orjson

from crashes.answers import malformed
from crashes.query.attributes import Attribute, attribute
from crashes.query.literals import Binder, Literal, literal

MOST_CONDITIONS: Final = 100
MOST_PATTERN: Final = 1_000
_ORDER: Final = MappingProxyType({"at-least": ">=", "at-most": "<=", "less-than": "<", "greater-than": ">"})

Compile = Callable[[Attribute, Literal, bool, Binder], str]


def conditions(filters: Sequence[Mapping[str, Sequence[Sequence[Any]]]], bind: Binder) -> list[str]:
    """Conditions that all have to hold. Raises Refusal (400)."""
    found: list[str] = []
    for filter_ in filters:
        for name, wanted in filter_.items():
            about = attribute(name, bind, "filter")
            found.extend(_condition(about, one, bind) for one in wanted)
            if len(found) > MOST_CONDITIONS:
                raise malformed(f"filter: at most {MOST_CONDITIONS} conditions")
    return found


def _condition(about: Attribute, wanted: Sequence[Any], bind: Binder) -> str:
    where = f"filter: {about.name}"
    operator = wanted[0] if wanted else None
    if operator == "is-set":
        return f"{about.text} IS NOT NULL"
    if operator == "is-not-set":
        return f"{about.text} IS NULL"
    positive = _NEGATIVE.get(operator, operator) if isinstance(operator, str) else None
    compiled = _OPERATORS.get(positive) if positive is not None else None
    if compiled is None:
        raise malformed(f"{where}: there is no such operator")
    if len(wanted) < 2:
        raise malformed(f"{where}: {operator} needs a value")
    value = literal(wanted[1], where)
    made = compiled(about, value, _is_case_insensitive(wanted[2:], where), bind)
    return made if positive == operator else f"({made}) IS NOT TRUE"


def _is_case_insensitive(options: Sequence[Any], where: str) -> bool:
    if not options:
        return False
    if len(options) > 1 or not isinstance(options[0], Mapping):
        raise malformed(f"{where}: options are one object")
    return options[0].get("case_insensitive") is True


def _equal(about: Attribute, value: Literal, folded: bool, bind: Binder) -> str:
    if value.is_number and value.number is not None:
        return f"({about.number} = {bind(value.number)} OR {about.text} = {bind(value.text)})"
    if folded:
        return f"lower({about.text}) = lower({bind(value.text)})"
    if about.stored and value.number is None and value.text not in ("true", "false"):
        # Only a text can look like this, and texts are found by the index.
        return f"c.attributes @> {bind(orjson.dumps({about.name: value.text}).decode())}::jsonb"
    return f"{about.text} = {bind(value.text)}"


def _contains(about: Attribute, value: Literal, folded: bool, bind: Binder) -> str:
    if folded:
        return f"strpos(lower({about.text}), lower({bind(value.text)})) > 0"
    return f"strpos({about.text}, {bind(value.text)}) > 0"


def _matches(about: Attribute, value: Literal, folded: bool, bind: Binder) -> str:
    if len(value.text) > MOST_PATTERN:
        raise malformed(f"filter: {about.name}: a regular expression of at most {MOST_PATTERN} characters is wanted")
    return f"{about.text} {'~*' if folded else '~'} {bind(value.text)}"


def _compares(operator: str) -> Compile:
    def compiled(about: Attribute, value: Literal, _folded: bool, bind: Binder) -> str:
        if value.number is not None:
            return f"{about.number} {operator} {bind(value.number)}"
        return f'{about.text} COLLATE "C" {operator} {bind(value.text)}'

    return compiled


_OPERATORS: Final[Mapping[str, Compile]] = MappingProxyType(
    {
        "equal": _equal,
        "contains": _contains,
        "regular-expression": _matches,
        **{name: _compares(operator) for name, operator in _ORDER.items()},
    }
)
_NEGATIVE: Final = MappingProxyType(
    {
        "not-equal": "equal",
        "not-contains": "contains",
        "inverse-regular-expression": "regular-expression",
    }
)
