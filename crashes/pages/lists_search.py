"""The search above lists: what stands in the address, and what it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from crashes.searching import Asked, read_words

PAGE_SIZE: Final = 30
HELP: Final = (
    ("fn:leaf_post", "a function on the crashed stack begins like this, itself or one of its last parts"),
    ("module:libledger", "a module on the crashed stack begins like this"),
    ("version:1.2.3", "the version of the application; platform:native and os:Linux likewise"),
    ("attr.hostname:web1", 'an attribute has this value; attr."my name":"its value" where there are spaces'),
    ("state:set_aside", "open, resolved, ignored; of single crashes pending, running, done, set_aside, kept"),
    ("is:unnamed", "frames lack their names; is:regressed: came back after it had been resolved"),
    ("since:3d", "received in the last three days; since:2026-01-31 and until:2026-02-28 likewise"),
    ('"free text"', "title or culprit has this text in it; quotes keep words together"),
)


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed, what it asks, and a sentence for each word that was not understood."""

    text: str
    asked: Asked
    problems: Sequence[str]

    @property
    def help(self) -> Sequence[tuple[str, str]]:
        return HELP


def read_search(request: HttpRequest) -> Search:
    """The search of an address: its `q`."""
    text = " ".join(request.GET.get("q", "").split())
    asked, problems = read_words(text)
    return Search(text, asked, problems)


def chosen(request: HttpRequest, name: str, known: Sequence[str], default: str) -> str:
    """One of several values in the query; the default for what is none of them."""
    value = request.GET.get(name, "")
    return value if value in known else default
