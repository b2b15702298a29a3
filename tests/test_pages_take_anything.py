"""Every page, with whatever may stand in an address: an answer for people, never a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db

ODD = ("0", "1", "9" * 18, "9" * 60, "-1", "\x00", "\ud83d\ude00", "%", "..", "a" * 500, "'\"<x>")
QUERIES = (
    "",
    "cursor=x&page=0&per_page=-1",
    "cursor=99999999999999999999:0:0&after=99999999999999999999",
    "q=%00&query=%00&search=%25_%5c&name=%00&id=%00&for=%00&kind=%00&state=%00&sort=%00",
    "q=" + "a:" * 300 + "&query=" + "x" * 5000 + "&for=" + "f" * 5000,
    "q=since:99999d+until:0001-01-01T00:00:00%2b23:59+attr.%00:1+fn:%5c+is:x&thread=" + "9" * 50,
    "q=%ed%a0%80&query=%ed%a0%80&for=%ed%a0%80&with=%ed%a0%80&purpose=%ed%a0%80&since=%ed%a0%80",
    "page=99999999999999999999&project=99999999999999999999&person=99999999999999999999&with=99999999999999999999",
)


def templates(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """The routes of pages, with the names of what stands in them."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from templates(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith(("organizations/", "operations", "accounts/")):
            yield route, tuple(pattern.pattern.converters)


def filled(route: str, odd: str) -> str:
    """An address of the route in acme's project, with `odd` for everything else."""
    for part in ("str", "slug", "int", "uuid", "path"):
        route = route.replace(f"<{part}:organization>", "acme").replace(f"<{part}:project>", "native-app")
    while "<" in route:
        before, _, rest = route.partition("<")
        inside, _, after = rest.partition(">")
        value = str(UUID(int=7)) if inside.startswith("uuid:") else odd
        route = f"{before}{quote(value.encode('utf-8', 'surrogatepass'), safe='')}{after}"
    return f"/{route}"


ROUTES = sorted({route for route, _ in templates()})


@pytest.fixture
def visitor(owner: User, acme_project: object) -> Client:
    owner.is_staff = True
    owner.save()
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    return client


def test_there_are_pages() -> None:
    assert len(ROUTES) > 60


@pytest.mark.parametrize("query", range(len(QUERIES)))
def test_no_query_is_a_fault(visitor: Client, query: int) -> None:
    failed = [
        path
        for route in ROUTES
        if "<" not in route.replace("<str:organization>", "").replace("<str:project>", "")
        and visitor.get(f"{(path := filled(route, ''))}?{QUERIES[query]}").status_code >= 500
    ]
    assert failed == []


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_no_part_of_an_address_is_a_fault(visitor: Client, odd: int) -> None:
    routes = [route for route in ROUTES if "<" in route.replace("<str:organization>", "").replace("<str:project>", "")]
    failed = [path for route in routes if visitor.get(path := filled(route, ODD[odd])).status_code >= 500]
    failed += [path for route in routes if visitor.post(path := filled(route, ODD[odd])).status_code >= 500]
    assert failed == []
