"""Who may open which page of symbol sources."""

from __future__ import annotations

import pytest

from projects.scopes import MEMBER
from sources.models import SymbolSource
from tests.cast import make_member, make_project
from tests.sources.pages.made import ORGANIZATION, PROJECT, browser, make_source, text

pytestmark = pytest.mark.django_db

# Below the list: the method, the address, and the least role that may.
PAGES = [
    ("get", "", "member"),
    ("get", "new/", "admin"),
    ("get", "new/http/", "admin"),
    ("post", "new/http/", "admin"),
    ("post", "new/http/test/", "admin"),
    ("post", "example/http/", "admin"),
    ("post", "order/", "admin"),
    ("get", "{key}/", "admin"),
    ("post", "{key}/", "admin"),
    ("post", "{key}/try/", "admin"),
    ("get", "{key}/test/", "admin"),
    ("post", "{key}/test/", "admin"),
    ("post", "{key}/move/", "admin"),
    ("post", "{key}/switch/", "admin"),
    ("get", "{key}/delete/", "deleter"),
    ("post", "{key}/delete/", "deleter"),
    ("get", "builtin/", "admin"),
    ("post", "builtin/", "admin"),
]
IDS = [f"{method} {address or 'list'}" for method, address, _ in PAGES]
BASES = {"project": PROJECT, "organization": ORGANIZATION}


@pytest.fixture(params=list(BASES))
def base(request, acme, acme_project):
    return request.param


@pytest.fixture
def source(base, acme, acme_project):
    return make_source(acme, acme_project if base == "project" else None, name="Nobody else's")


def opened(user, base, source, method, address):
    client = browser(user)
    return getattr(client, method)(BASES[base] + address.format(key=source.pk))


@pytest.mark.parametrize(("method", "address", "role"), PAGES, ids=IDS)
def test_who_may_not_open_a_page_learns_nothing(base, source, stranger, member, method, address, role):
    signed_out = opened(None, base, source, method, address)
    assert (signed_out.status_code, signed_out.headers["Location"][:7]) == (302, "/login/")

    strange = opened(stranger, base, source, method, address)
    assert strange.status_code == 404
    assert "Nobody else" not in text(strange)

    seen = opened(member, base, source, method, address)
    assert seen.status_code == (200 if role == "member" else 403)
    if role == "member":
        shown = text(seen)
        assert "Nobody else" in shown
        assert all(word not in shown for word in ("Switch", "Delete", "Add a source", "/move/"))
    assert SymbolSource.objects.get().enabled


def test_deleting_an_organizations_source_takes_its_owner(acme, acme_project, admin, owner):
    source = make_source(acme)
    address = f"{ORGANIZATION}{source.pk}/delete/"
    assert browser(admin).post(address).status_code == 403
    assert "/delete/" not in text(browser(admin).get(ORGANIZATION))
    assert browser(owner).post(address).status_code == 303
    assert not SymbolSource.objects.exists()


@pytest.mark.parametrize("address", ["{key}/", "{key}/test/", "{key}/delete/"])
def test_a_source_of_another_project_is_not_there(acme, acme_project, admin, address):
    other = make_source(acme, make_project(acme, "other"))
    shared = make_source(acme)
    for source in (other, shared):
        assert browser(admin).get(PROJECT + address.format(key=source.pk)).status_code == 404


@pytest.mark.parametrize(
    "address", [address for method, address, _ in PAGES if method == "post"], ids=lambda address: address
)
def test_forged_posts_are_refused(acme, acme_project, admin, address):
    source = make_source(acme, acme_project)
    answer = browser(admin, csrf=True).post(PROJECT + address.format(key=source.pk), {"name": "forged"})
    assert answer.status_code == 403
    assert SymbolSource.objects.get().name != "forged"


def test_someone_of_two_organizations_keeps_them_apart(acme, acme_project, umbrella, umbrella_project, stranger):
    source = make_source(umbrella, umbrella_project)
    admin_of_acme = make_member(acme, MEMBER)
    assert browser(admin_of_acme).get(f"/organizations/umbrella/native-app/sources/{source.pk}/").status_code == 404


def test_pages_forbid_whatever_is_inline(acme, acme_project, admin):
    source = make_source(acme, acme_project)
    for address in ("", "new/", "new/s3/", "builtin/", f"{source.pk}/", f"{source.pk}/test/", f"{source.pk}/delete/"):
        answer = browser(admin).get(PROJECT + address)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        shown = text(answer)
        assert all(inline not in shown for inline in (" style=", " onclick=", "<script>", "hx-on"))
