"""No organization can have a name that is the first part of an address of the service itself."""

from __future__ import annotations

import re

from django.urls import URLPattern, URLResolver, get_resolver

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
