"""Projects, members and tokens by form: who may, and what is said."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from projects.models import ApiToken, Membership, Organization, Project
from projects.scopes import MEMBER
from tests.cast import PASSWORD, make_token

pytestmark = pytest.mark.django_db

ACME = "/organizations/acme/"
PROJECT = f"{ACME}native-app/"
HOSTILE = "<script>alert(1)</script>\"'>"

# Address, and who may open it: member, admin, owner.
PAGES = {
    f"{ACME}new/": (403, 200, 200),
    f"{ACME}members/": (200, 200, 200),
    f"{ACME}tokens/": (403, 200, 200),
    f"{ACME}tokens/new/": (403, 200, 200),
    f"{ACME}audit/": (403, 403, 200),
    PROJECT: (200, 200, 200),
    f"{PROJECT}settings/": (403, 200, 200),
    f"{PROJECT}tokens/": (403, 200, 200),
    f"{PROJECT}tokens/new/": (403, 200, 200),
}


def signed_in(user: User, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_for_its_roles(path, member, admin, owner, stranger, acme_project):
    found = tuple(signed_in(user).get(path).status_code for user in (member, admin, owner))
    assert found == PAGES[path]
    assert signed_in(stranger).get(path).status_code == 404
    assert Client().get(path).headers["Location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", [f"{ACME}new/", f"{ACME}members/", f"{ACME}tokens/new/", f"{PROJECT}settings/"])
def test_a_form_from_elsewhere_does_nothing(path, owner, acme_project):
    answer = signed_in(owner, csrf=True).post(path, {"name": "x", "email": "a@b.example", "role": MEMBER})
    assert answer.status_code == 403
    assert Project.objects.count() == 1
    assert Membership.objects.count() == 1


def test_a_new_project_says_what_to_do_next(admin, acme):
    client = signed_in(admin)
    answer = client.post(f"{ACME}new/", {"name": "Web shop"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ACME}web-shop/")
    html = client.get(f"{ACME}web-shop/").content.decode()
    assert "sentry-cli debug-files upload" in html
    assert "/minidump" in html
    assert "http://testserver" in html


def test_a_slug_that_is_taken_is_said_at_its_field(admin, acme_project):
    answer = signed_in(admin).post(f"{ACME}new/", {"name": "Other", "slug": "native-app"})
    assert answer.status_code == 400
    assert b"aria-invalid" in answer.content
    assert Project.objects.count() == 1


def test_names_stay_text(admin, owner, acme_project):
    signed_in(admin).post(f"{PROJECT}settings/", {"name": HOSTILE, "platform": "x"})
    make_token(acme_project.organization, acme_project)
    ApiToken.objects.update(name=HOSTILE)
    acme_project.refresh_from_db()
    assert acme_project.name == HOSTILE
    for path in (ACME, PROJECT, f"{ACME}tokens/", f"{ACME}audit/", f"{PROJECT}settings/"):
        assert "<script>alert" not in signed_in(owner).get(path).content.decode(), path


def test_whoever_has_an_account_is_a_member_at_once(owner, stranger, acme):
    client = signed_in(owner)
    assert client.post(f"{ACME}members/", {"email": stranger.email.upper(), "role": MEMBER}).status_code in (200, 303)
    assert Membership.objects.get(organization=acme, user=stranger).role == MEMBER


def test_whoever_has_none_gets_a_link_with_which_to_choose_a_password_once(owner, acme):
    answer = signed_in(owner).post(f"{ACME}members/", {"email": "new@acme.example", "role": MEMBER})
    link = re.search(r"/accounts/invited/[^\s\"<]+", answer.content.decode())
    assert link
    guest = Client()
    form = guest.get(link[0], follow=True)
    address = form.redirect_chain[-1][0] if form.redirect_chain else link[0]
    chosen = {"new_password1": "a long enough password", "new_password2": "a long enough password"}
    assert guest.post(address, chosen).status_code == 302
    assert guest.get(ACME).status_code == 200
    assert User.objects.get(email="new@acme.example").check_password("a long enough password")
    again = Client().get(link[0], follow=True)
    assert b"new_password1" not in again.content


def test_roles_change_and_the_last_owner_stays(owner, member, acme):
    client = signed_in(owner)
    rows = {row.user_id: row.pk for row in Membership.objects.filter(organization=acme)}
    changed = client.post(f"{ACME}members/{rows[member.pk]}/role/", {"role": "admin"})
    assert changed.status_code == 303
    assert Membership.objects.get(pk=rows[member.pk]).role == "admin"
    for path, data in (("role", {"role": MEMBER}), ("remove", {})):
        assert 400 <= client.post(f"{ACME}members/{rows[owner.pk]}/{path}/", data).status_code < 500
    assert client.post(f"{ACME}members/leave/").status_code in (400, 409)
    assert Membership.objects.get(pk=rows[owner.pk]).role == "owner"


def test_members_change_nobody(member, admin, acme):
    row = Membership.objects.get(organization=acme, user=admin)
    client = signed_in(member)
    for path in ("role", "remove", "invite"):
        assert client.post(f"{ACME}members/{row.pk}/{path}/", {"role": "member"}).status_code == 403
    assert client.post(f"{ACME}members/", {"email": "x@acme.example", "role": "owner"}).status_code == 403
    assert not User.objects.filter(email="x@acme.example").exists()


def test_a_member_leaves(member, acme):
    assert signed_in(member).post(f"{ACME}members/leave/").status_code == 303
    assert not Membership.objects.filter(user=member).exists()


def test_another_organizations_membership_is_not_there(owner, stranger, umbrella):
    row = Membership.objects.get(organization=umbrella, user=stranger)
    assert signed_in(owner).post(f"{ACME}members/{row.pk}/remove/").status_code == 404
    assert Membership.objects.filter(pk=row.pk).exists()


def test_a_token_is_shown_once_with_the_lines_that_use_it_and_can_be_revoked(admin, acme_project):
    client = signed_in(admin)
    answer = client.post(f"{PROJECT}tokens/new/", {"name": "field", "scopes": ["error:post"], "expires": ""})
    text = re.search(r"\b[0-9a-f]{64}\b", answer.content.decode())
    assert text
    assert f"/acme/{text[0]}/" in answer.content.decode()
    listed = client.get(f"{PROJECT}tokens/").content.decode()
    assert text[0] not in listed
    assert "field" in listed
    token = ApiToken.objects.get()
    assert (token.project, token.scopes) == (acme_project, ["error:post"])
    assert client.post(f"{PROJECT}tokens/{token.pk}/revoke/").status_code == 303
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_nobody_gives_a_scope_that_is_not_theirs(admin, acme_project):
    answer = signed_in(admin).post(f"{PROJECT}tokens/new/", {"name": "x", "scopes": ["org:admin"], "expires": ""})
    assert answer.status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_of_another_organization_is_not_there(admin, umbrella):
    make_token(umbrella)
    assert signed_in(admin).post(f"{ACME}tokens/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_the_audit_trail_says_who_did_what(owner, acme_project):
    client = signed_in(owner)
    client.post(f"{PROJECT}settings/", {"name": "Renamed", "platform": "native"})
    html = client.get(f"{ACME}audit/").content.decode()
    assert "project.changed" in html
    assert owner.email in html


def test_too_many_tries_are_told_when_to_come_back(member: User, acme: Organization):
    tries = [Client().post("/login/", {"username": member.email, "password": "wrong"}) for _ in range(11)]
    assert [answer.status_code for answer in tries] == [200] * 10 + [429]
    assert 0 < int(tries[-1].headers["Retry-After"]) <= 600
    right = Client().post("/login/", {"username": member.email, "password": PASSWORD})
    assert right.status_code == 429


def test_the_address_is_taken_in_any_case_and_next_leads_nowhere_else(member):
    answer = Client().post(
        "/login/", {"username": f" {member.email.upper()} ", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_an_address_that_leads_nowhere_is_a_page_for_people_and_json_for_the_api(client):
    page = client.get("/nowhere/at/all/of/it/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"][:9]) == (404, "text/html")
    api = client.get("/api/0/nowhere/")
    assert (api.status_code, api.json()["code"]) == (404, "not_found")
