"""Slugs, the references in URLs, and slugs made of names."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver
from hypothesis import example, given
from hypothesis import strategies as st

from core.api import ApiError
from projects import services
from projects.access import SYSTEM
from projects.models import Organization
from projects.slugs import RESERVED_ORGANIZATIONS, RESERVED_PROJECTS, is_slug, parse_ref, slug_from_name
from tests.cast import Api, make_organization, make_project, make_token


@pytest.mark.parametrize("slug", ["a", "native-app", "0x", "a_b", "1-2", "a" * 50])
def test_slugs(slug):
    assert is_slug(slug)


@pytest.mark.parametrize("slug", ["", "-a", "_a", "A", "ä", "123", "a b", "a/b", "a.b", "a\n", "a\0", "a" * 51])
def test_no_slugs(slug):
    assert not is_slug(slug)


@given(st.text(max_size=80))
def test_a_slug_made_of_a_name_is_a_slug_or_nothing(name):
    slug = slug_from_name(name)
    assert slug == "" or is_slug(slug)


@given(st.text(max_size=80))
def test_a_reference_is_an_id_a_slug_or_nothing(text):
    ref = parse_ref(text)
    if isinstance(ref, int):
        assert re.fullmatch("[0-9]+", text)
        assert int(text) == ref < 2**63
    elif ref is not None:
        assert ref == text
        assert is_slug(text)


@given(st.integers(min_value=0, max_value=10**60))
@example(2**63 - 1)
@example(2**63)
@example(10**19 - 1)
def test_numbers_beyond_the_database_address_nothing(number):
    assert parse_ref(str(number)) == (number if number < 2**63 else None)


@pytest.mark.parametrize(
    "slug", ["api", "docs", "static", "symbolicate", "minidump", "requests", "proxy", "symbols", "post", "healthcheck",
             "livez", "readyz", "login", "logout"]
)  # fmt: skip
def test_an_organization_cannot_hide_an_address_of_the_service(slug, db):
    with pytest.raises(ApiError, match="reserved"):
        make_organization(slug)
    assert not Organization.objects.exists()


def test_reserved_words_are_slugs_otherwise():
    assert all(is_slug(word) for word in RESERVED_ORGANIZATIONS | RESERVED_PROJECTS)


def test_every_first_part_of_an_address_is_reserved():
    from django.urls import get_resolver

    routes = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    words = {re.split(r"[/<^]", route)[0] for route in routes}
    assert {word for word in words if is_slug(word)} <= RESERVED_ORGANIZATIONS


def test_slugs_that_are_taken_get_a_number(acme):
    made = [services.create_project(organization=acme, name="Größte App!", actor=SYSTEM).slug for _ in range(3)]
    assert made == ["grote-app", "grote-app-2", "grote-app-3"]


@pytest.mark.parametrize(("name", "slug"), [("New", "new-project"), ("2024", "project-2024"), ("x" * 200, "x" * 50)])
def test_slugs_of_awkward_names(name, slug, acme):
    assert services.create_project(organization=acme, name=name, actor=SYSTEM).slug == slug


def test_a_name_without_letters_needs_a_slug(acme):
    answer = Api(make_token(acme)).post("/api/0/organizations/acme/projects/", {"name": "日本"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "slug: cannot be made from this name, please give one"}


def test_two_organizations_may_use_the_same_slug(acme, umbrella):
    assert make_project(acme, "app").slug == make_project(umbrella, "app").slug


def _first_words(patterns, prefix=""):
    for pattern in patterns:
        text = prefix + str(pattern.pattern).lstrip("^")
        if hasattr(pattern, "url_patterns"):
            yield from _first_words(pattern.url_patterns, text)
        elif re.match("[a-z]", text):
            yield re.match("[a-z0-9._-]*", text)[0]


def test_no_organization_can_be_named_as_an_address_of_the_service_begins():
    words = {word for word in _first_words(get_resolver().url_patterns) if is_slug(word)}
    assert {"api", "symbols", "minidump", "livez"} <= words
    assert words <= RESERVED_ORGANIZATIONS
