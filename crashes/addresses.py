"""The forms of address that clients use, read into one.

Subdomain, token and format stand in the path, or in the query, or in both, where the query's format counts. Some
documentation has an ampersand where the query begins, and a format without `format=`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, QueryDict

from core.text import storable

RESERVED: Final = frozenset(
    {
        "token",
        "format",
        "universe",
        "project",
        "object",
        "attachment_name",
        "attachment_inline",
        "upload_file",
        "tag",
        "symbolication_id",
    }
)
_MODIFIER: Final = "_mod_"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes. Texts are empty where the request does not say; `values` are those of the query."""

    subdomain: str
    token: str
    format: str
    project: str
    values: dict[str, list[str]]

    def value(self, name: str) -> str:
        """The last value of a parameter of the query; empty without one."""
        return (self.values.get(name) or [""])[-1]


def read_address(request: HttpRequest, known: Collection[str], subdomain: str, token: str, last: str) -> Address:
    """The address of a request whose path gave `subdomain`, `token` and `last` (the format, with what follows it)."""
    named, _, glued = last.partition("&")
    query = _query(request.META.get("QUERY_STRING", ""))
    values = _merged(_query(glued), query)
    bare = next((name for name, given in values.items() if name in known and given == [""]), "")
    return Address(
        subdomain=subdomain or _last(values, "universe"),
        token=token or _last(values, "token"),
        format=_last(values, "format") or named or bare,
        project=_last(values, "project"),
        values={name: given for name, given in values.items() if name != bare},
    )


def is_reserved(name: str) -> bool:
    """Whether a key means something to the protocol, so that it is none of the sender's own."""
    return name in RESERVED or name.startswith(_MODIFIER)


def _query(text: str) -> dict[str, list[str]]:
    if not text:
        return {}
    given = QueryDict(text)
    return {storable(name): [storable(str(value)) for value in values] for name, values in given.lists()}


def _merged(first: dict[str, list[str]], second: dict[str, list[str]]) -> dict[str, list[str]]:
    names = dict.fromkeys([*first, *second])
    return {name: [*first.get(name, ()), *second.get(name, ())] for name in names}


def _last(values: dict[str, list[str]], name: str) -> str:
    return (values.get(name) or [""])[-1]
