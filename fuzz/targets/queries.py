"""What people and clients ask about crashes: words of the search box, queries of addresses, bodies of queries."""

from __future__ import annotations

import json
import re

from django.http import QueryDict

from core.api import ApiError
from crashes.answers import Refusal
from crashes.query.asking import ask
from crashes.query.bodies import decode
from crashes.searching.asked import read_query
from crashes.searching.words import read_words, words_of
from fuzz.seeds import corpus
from fuzz.target import Shape, Target
from projects.models import Project

_WORDS = (
    b'fn: function: module: version: platform: os: state: is: group: since: until: lacking: attr. attr."a b": '
    b'"free text" std::vector open unnamed regressed 3d 9999w 2026-01-31 2026-01-31T12:00Z : :: " \xe2\x80\x9c'
).split(b" ")
_SEARCH = b'fn:leaf_post module:libledger version:1.2.3 attr.hostname:web1 "free text" since:3d is:unnamed group:42'
_ADDRESS = (
    b"state=new&group=1&query=x&fn=a&fn=b&module=c&version=1&unnamed=1&since=2026-01-31T12:00:00%2B01:00&attr.a=b"
)
_QUERY = {
    "filter": [{"a": [["equal", "x"], ["regular-expression", "^a", {"case_insensitive": True}]],
                "timestamp": [["at-least", "1700000000."]]}],
    "fold": {"hostname": [["head"], ["histogram", 5], ["bin", 3]], "timestamp": [["range"]]},
    "group": ["fingerprint"], "order": [{"name": "count", "ordering": "descending"}], "offset": 0, "limit": 20,
}  # fmt: skip
_TERMS = (
    b"filter select fold group order offset limit equal not-equal contains regular-expression at-least less-than "
    b"is-set timestamp fingerprint fingerprint;first_seen callstack _rxid object head tail unique sum min max mean "
    b"quantize histogram distribution bin range count name ordering descending case_insensitive"
).split(b" ")


_PLACEHOLDER = re.compile(r"%\((p[0-9]+)\)s")


def _search(data: bytes) -> None:
    """What is understood can be written as words that are understood as the same, quotes within words apart."""
    asked, problems = read_words(data.decode("utf-8", "replace"))
    assert all(isinstance(problem, str) and problem for problem in problems)
    written = words_of(asked)
    if len(written) <= 1_000:
        again, none = read_words(written)
        assert not none, none
        assert read_words(words_of(again))[0] == again


def _address(data: bytes) -> None:
    for of_groups in (False, True):
        read_query(QueryDict(data, mutable=False), of_groups=of_groups)


def _body(data: bytes) -> None:
    """Each value of a filter is a parameter of the statement and never a part of it."""
    asked = ask(Project(pk=1), decode(data))
    placed = set(_PLACEHOLDER.findall(asked.source))
    assert placed <= set(asked.bind.values)
    assert "%" not in _PLACEHOLDER.sub("", asked.source)
    assert ";" not in asked.source.replace("fingerprint;", "")
    str(asked.page)


TARGETS = (
    Target("search words", lambda: [_SEARCH, *corpus("search words")], _search, words=_WORDS, runs=800),
    Target("crash list address", lambda: [_ADDRESS], _address, (ApiError,),
           words=(b"&", b"=", b"%00", b"%ff", b"+", b"since=", b"attr.", b"group="), runs=500),
    Target("crash query", lambda: [json.dumps(_QUERY).encode()], _body, (Refusal,), shape=Shape.JSON, words=_TERMS,
           runs=500),
)  # fmt: skip
