"""The words of a search box: `fn:leaf_post module:libledger version:1.2.3 attr.hostname:web1 "free text"`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from core.text import storable
from core.times import read_moment
from crashes.models import Crash, Group
from crashes.searching.asked import ATTRIBUTE, MOST_ATTRIBUTES, MOST_WORDS, NUMBER, TEXT_LENGTH, Asked

LONGEST: Final = 1_000
_WORD: Final = re.compile(
    r'(?P<key>[A-Za-z]+(?:\.(?:"[^"]*"|[^\s:"]+))?):(?P<value>"[^"]*"|\S+)?|(?P<text>"[^"]*"|\S+)'
)
_SPAN: Final = re.compile("([0-9]{1,4})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_IS: Final = {"unnamed": Asked(unnamed=True), "regressed": Asked(regressed=True)}


class _Misunderstood(Exception):
    """Says what is wrong with a word, in a sentence."""


def read_words(text: str) -> tuple[Asked, list[str]]:
    """What the words ask, and a sentence for each that is not understood; these are passed over."""
    asked, problems = Asked(), []
    if len(text) > LONGEST:
        problems.append(f"Only the first {LONGEST} characters were looked at.")
    for found in _WORD.finditer(storable(text[:LONGEST])):
        try:
            asked = _bounded(asked.joined(_read(found)))
        except _Misunderstood as error:
            problems.append(str(error))
    return asked, problems


def words_of(asked: Asked) -> str:
    """The words that ask the same; times are left out."""
    return " ".join(_words(asked))


def quoted(value: str) -> str:
    """A value as a word of the search: in quotes where it needs them."""
    plain = value.replace('"', "")
    return plain if re.fullmatch(r'[^\s":]+', value) else f'"{plain}"'


def _words(asked: Asked) -> Iterator[str]:
    for key, values in (("fn", asked.functions), ("module", asked.modules)):
        yield from (f"{key}:{quoted(value)}" for value in values)
    yield from (f"state:{state}" for state in (asked.group_state, asked.state) if state)
    singles = {
        "version": asked.version,
        "platform": asked.platform,
        "os": asked.os,
        "lacking": asked.lacking,
        "group": "" if asked.group is None else str(asked.group),
    }
    yield from (f"{key}:{quoted(str(value))}" for key, value in singles.items() if value)
    yield from (f"attr.{quoted(name)}:{quoted(value)}" for name, value in asked.attributes)
    yield from (f"is:{word}" for word, flag in (("unnamed", asked.unnamed), ("regressed", asked.regressed)) if flag)
    yield from (quoted(text) for text in asked.texts)


def _read(found: re.Match[str]) -> Asked:
    if found["text"] is not None:
        text = found["text"].strip('"')
        return Asked(texts=(text,)) if text else Asked()
    key, value = found["key"], (found["value"] or "").strip('"')
    if value.startswith(":"):
        # A name such as std::vector, and no word with a value.
        return Asked(texts=(found[0],))
    if key.lower().startswith(ATTRIBUTE):
        return Asked(attributes=((key[len(ATTRIBUTE) :].strip('"'), value),))
    read = _KEYS.get(key.lower())
    if read is None:
        raise _Misunderstood(
            f'“{key}:” is no word of the search. To look for it as text, put it in quotes: "{found[0]}".'
        )
    if not value:
        raise _Misunderstood(f"“{key}:” needs a value right behind the colon, such as {key}:{_EXAMPLES[key.lower()]}.")
    return read(value)


def _named(name: str, *, many: bool = False) -> Callable[[str], Asked]:
    def read(value: str) -> Asked:
        values: dict[str, Any] = {name: (value,) if many else value}
        return Asked(**values)

    return read


def _state(value: str) -> Asked:
    if value in Group.State.values:
        return Asked(group_state=value)
    if value in Crash.State.values:
        return Asked(state=value)
    raise _Misunderstood(f"“{value}” is no state: {', '.join((*Group.State.values, *Crash.State.values))} are.")


def _is(value: str) -> Asked:
    if value not in _IS:
        raise _Misunderstood(f"“is:{value}” is not known: is:unnamed and is:regressed are.")
    return _IS[value]


def _group(value: str) -> Asked:
    if NUMBER.fullmatch(value) is None:
        raise _Misunderstood(f"“group:{value}” is no number of a group.")
    return Asked(group=int(value))


def _since(value: str) -> Asked:
    return Asked(since=_moment(value))


def _until(value: str) -> Asked:
    return Asked(until=_moment(value))


def _moment(value: str) -> datetime:
    """A date, a time, or how long ago: 2026-01-31, 2026-01-31T12:00Z, 3d."""
    span = _SPAN.fullmatch(value)
    if span is not None:
        return timezone.now() - timedelta(**{_UNITS[span[2]]: int(span[1])})
    found = read_moment(value if "T" in value else f"{value}T00:00", naive=True)
    if found is None:
        raise _Misunderstood(f"“{value}” is no time: a date such as 2026-01-31, or 3d for three days ago.")
    return found


def _bounded(asked: Asked) -> Asked:
    if any(len(values) > MOST_WORDS for values in (asked.texts, asked.functions, asked.modules)):
        raise _Misunderstood(f"At most {MOST_WORDS} words of a kind are looked for.")
    if len(asked.attributes) > MOST_ATTRIBUTES:
        raise _Misunderstood(f"At most {MOST_ATTRIBUTES} attributes are looked for.")
    singles = (asked.version, asked.platform, asked.os, asked.lacking)
    if any(len(text) > TEXT_LENGTH for text in (*singles, *asked.texts, *asked.functions, *asked.modules)):
        raise _Misunderstood(f"A word has at most {TEXT_LENGTH} characters.")
    return asked


_KEYS: Final[dict[str, Callable[[str], Asked]]] = {
    "fn": _named("functions", many=True),
    "function": _named("functions", many=True),
    "module": _named("modules", many=True),
    "version": _named("version"),
    "platform": _named("platform"),
    "os": _named("os"),
    "lacking": _named("lacking"),
    "state": _state,
    "is": _is,
    "group": _group,
    "since": _since,
    "until": _until,
}
_EXAMPLES: Final = {
    **dict.fromkeys(("fn", "function"), "main"),
    "module": "libc.so",
    "version": "1.2.3",
    "platform": "native",
    "os": "Linux",
    "lacking": "a debug id",
    "state": "open",
    "is": "unnamed",
    "group": "42",
    "since": "3d",
    "until": "2026-01-31",
}
