"""No organization can have a name that is the first part of an address of the service itself."""

from __future__ import annotations

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from crashes.router import submit
from crashes.urls import certain_urlpatterns
from projects.slugs import RESERVED_ORGANIZATIONS, is_slug

WORD = re.compile(r"\^?/?([a-z0-9][a-z0-9_-]*)(?=[/$]|/\?|\Z|:)")


def routes(resolver, before: str = ""):
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route


def test_first_parts_of_addresses_are_reserved():
    firsts = {found[1] for route in routes(get_resolver()) if (found := WORD.match(route))}
    assert {"api", "docs", "symbols", "livez"} <= firsts
    assert {word for word in firsts if is_slug(word)} <= RESERVED_ORGANIZATIONS


def found(path):
    """What the first patterns of all say to an address."""
    return next((match for pattern in certain_urlpatterns if (match := pattern.resolve(path))), None)


TOKEN = "0123456789abcdef" * 4


@pytest.mark.parametrize("last", ["minidump", "symbols&tag=1", None])
def test_an_organization_and_a_token_are_found_before_all_other_addresses(last):
    match = found(f"acme/{TOKEN}/{last}" if last else f"acme/{TOKEN}")
    assert match.func is submit
    assert (match.kwargs["subdomain"], match.kwargs["token"], match.kwargs.get("last")) == ("acme", TOKEN, last)


@pytest.mark.parametrize("word", sorted(RESERVED_ORGANIZATIONS))
def test_no_address_of_another_room_is_taken_for_one(word):
    assert found(f"{word}/{TOKEN}/minidump") is None
    assert found(f"{word}-1/{TOKEN}/minidump") is not None


@pytest.mark.parametrize("path", [f"acme/{TOKEN[:-1]}/json", f"acme/{TOKEN}/a/b", f"a.example/{TOKEN}/json", TOKEN])
def test_whatever_else_is_left_to_the_others(path):
    assert found(path) is None
