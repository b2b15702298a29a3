"""The pages of organizations and projects: who may open them, what they change, and that names stay text."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from projects import members
from projects.access import SYSTEM
from projects.models import ApiToken, AuditEntry, Membership, Project
from projects.pages.signing.turns import MOST_BY_ADDRESS
from projects.scopes import MEMBER
from tests.cast import PASSWORD, make_member, make_token

pytestmark = pytest.mark.django_db

WHOLE = "/organizations/acme/"
PROJECT = f"{WHOLE}native-app/"
HOSTILE = "\"><script>alert(1)</script>{{ 7 }}'"
# What a member, an admin and an owner get.
PAGES = {
    WHOLE: (200, 200, 200),
    f"{WHOLE}new/": (403, 200, 200),
    f"{WHOLE}members/": (200, 200, 200),
    f"{WHOLE}tokens/": (403, 200, 200),
    f"{WHOLE}tokens/new/": (403, 200, 200),
    f"{WHOLE}audit/": (403, 403, 200),
    PROJECT: (200, 200, 200),
    f"{PROJECT}settings/": (403, 200, 200),
    f"{PROJECT}tokens/": (403, 200, 200),
    f"{PROJECT}tokens/new/": (403, 200, 200),
    f"{PROJECT}clients/": (200, 200, 200),
}


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_for_those_whose_role_allows_it(acme_project, member, admin, owner, stranger, path):
    assert Client().get(path).headers["Location"] == f"/login/?next={path}"
    assert signed_in(stranger).get(path).status_code == 404
    assert tuple(signed_in(user).get(path).status_code for user in (member, admin, owner)) == PAGES[path]


FORMS = [
    *(f"{WHOLE}{form}/" for form in ("new", "members", "tokens/new")),
    *(f"{PROJECT}{form}/" for form in ("settings", "tokens/new", "clients")),
]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_elsewhere_changes_nothing(acme_project, owner, path):
    form = {"name": "x", "email": "a@b.example", "role": MEMBER}
    answer = signed_in(owner, enforce_csrf_checks=True).post(path, form, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert b"<h1>" in answer.content
    assert not ApiToken.objects.exists()
    assert Project.objects.get().name == acme_project.name
    assert Membership.objects.count() == 1


def test_names_stay_text(acme_project, owner):
    client = signed_in(owner)
    client.post(f"{PROJECT}settings/", {"name": HOSTILE, "platform": "<b>"})
    acme_project.refresh_from_db()
    assert (acme_project.name, acme_project.platform) == (HOSTILE, "<b>")
    client.post(f"{PROJECT}tokens/new/", {"name": HOSTILE, "scopes": ["error:post"], "expires": ""})
    client.post(f"{PROJECT}clients/", {"label": HOSTILE})
    for path in PAGES:
        assert b"<script>alert" not in client.get(path).content, path


def test_a_project_is_created_and_says_what_to_do_next(acme, admin):
    client = signed_in(admin)
    made = client.post(f"{WHOLE}new/", {"name": "Shop", "slug": "", "platform": ""})
    assert (made.status_code, made.headers["Location"]) == (303, f"{WHOLE}shop/")
    answer = client.get(f"{WHOLE}shop/")
    for words in (b"sentry-cli debug-files upload", b"/minidump", b"http://testserver"):
        assert words in answer.content


def test_a_refused_slug_is_said_beside_its_field(acme, admin):
    answer = signed_in(admin).post(f"{WHOLE}new/", {"name": "Shop", "slug": "tokens", "platform": ""})
    assert answer.status_code == 400
    assert b'id="id_slug_error"' in answer.content


def test_a_slug_that_is_taken_is_said_at_its_field(admin, acme_project):
    answer = signed_in(admin).post(f"{WHOLE}new/", {"name": "Other", "slug": "native-app"})
    assert answer.status_code == 400
    assert b"aria-invalid" in answer.content
    assert Project.objects.count() == 1


def test_a_token_is_shown_once_with_the_lines_that_use_it(acme_project, admin):
    client = signed_in(admin)
    form = {"name": "field", "scopes": ["error:post"], "expires": "30"}
    shown = client.post(f"{PROJECT}tokens/new/", form).content.decode()
    text = re.search(r"[0-9a-f]{64}", shown)[0]
    assert f"/acme/{text}/minidump" in shown
    listed = client.get(f"{PROJECT}tokens/").content.decode()
    assert text not in listed
    assert "field" in listed
    token = ApiToken.objects.get()
    assert (token.project, token.scopes) == (acme_project, ["error:post"])
    assert client.post(f"{PROJECT}tokens/{token.pk}/revoke/").status_code == 303
    assert ApiToken.objects.get().revoked_at is not None


def test_nobody_gives_a_token_more_than_they_have(acme_project, admin):
    client = signed_in(admin)
    form = {"name": "x", "scopes": ["org:admin"], "expires": "", "project": "native-app"}
    assert client.post(f"{WHOLE}tokens/new/", form).status_code == 400
    whole = {**form, "scopes": ["error:post"], "project": ""}
    assert client.post(f"{WHOLE}tokens/new/", whole).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_of_another_organization_is_not_there(admin, umbrella):
    make_token(umbrella)
    assert signed_in(admin).post(f"{WHOLE}tokens/{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_a_new_member_gets_a_password_by_a_link_that_works_once(acme, owner):
    shown = signed_in(owner).post(f"{WHOLE}members/", {"email": "New@Example.com", "role": MEMBER}).content.decode()
    link = re.search(r"/accounts/invited/[^<\"]+/", shown)[0]
    invited = Client()
    place = invited.get(link).headers["Location"]
    chosen = {"new_password1": "long enough for all", "new_password2": "long enough for all"}
    assert invited.post(place, chosen).status_code == 302
    assert invited.get(WHOLE).status_code == 200
    assert User.objects.get(email__iexact="new@example.com").check_password("long enough for all")
    again = Client().get(link).content
    assert b"This invitation is over" in again
    assert b"new_password1" not in again


def test_no_link_is_made_for_an_account_that_has_a_password_or_belongs_elsewhere(acme, umbrella, owner, member):
    row = Membership.objects.get(user=member)
    assert members.invitation(row) is None
    assert signed_in(owner).post(f"{WHOLE}members/{row.pk}/invite/").status_code == 409
    added = members.add_by_email(organization=acme, email="x@example.com", role=MEMBER, actor=SYSTEM)
    assert members.invitation(added.membership) is not None
    members.add_by_email(organization=umbrella, email="x@example.com", role=MEMBER, actor=SYSTEM)
    assert members.invitation(added.membership) is None


def test_the_last_owner_stays(acme, owner):
    client, row = signed_in(owner), Membership.objects.get(user=owner)
    answers = [
        client.post(f"{WHOLE}members/leave/"),
        client.post(f"{WHOLE}members/{row.pk}/remove/"),
        client.post(f"{WHOLE}members/{row.pk}/role/", {"role": MEMBER}),
    ]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert Membership.objects.get(pk=row.pk).role == "owner"


def test_roles_change_and_members_go_and_the_trail_tells(acme, owner, admin, member):
    client, row = signed_in(owner), Membership.objects.get(user=member)
    assert client.post(f"{WHOLE}members/{row.pk}/role/", {"role": "admin"}).status_code == 303
    assert Membership.objects.get(pk=row.pk).role == "admin"
    assert signed_in(admin).post(f"{WHOLE}members/{row.pk}/remove/").status_code == 403
    assert client.post(f"{WHOLE}members/{row.pk}/remove/").status_code == 303
    assert signed_in(member).get(WHOLE).status_code == 404
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"member.changed", "member.removed"}
    shown = client.get(f"{WHOLE}audit/?action=member.removed").content
    assert b"<code>member.removed</code>" in shown
    assert b"<code>member.changed</code>" not in shown


def test_whoever_has_an_account_is_a_member_at_once(owner, stranger, acme):
    client = signed_in(owner)
    assert client.post(f"{WHOLE}members/", {"email": stranger.email.upper(), "role": MEMBER}).status_code in (200, 303)
    assert Membership.objects.get(organization=acme, user=stranger).role == MEMBER


def test_members_change_nobody(member, admin, acme):
    row = Membership.objects.get(organization=acme, user=admin)
    client = signed_in(member)
    for path in ("role", "remove", "invite"):
        assert client.post(f"{WHOLE}members/{row.pk}/{path}/", {"role": "member"}).status_code == 403
    assert client.post(f"{WHOLE}members/", {"email": "x@acme.example", "role": "owner"}).status_code == 403
    assert not User.objects.filter(email="x@acme.example").exists()


def test_a_member_leaves(member, acme):
    assert signed_in(member).post(f"{WHOLE}members/leave/").status_code == 303
    assert not Membership.objects.filter(user=member).exists()


def test_another_organizations_membership_is_not_there(owner, stranger, umbrella):
    row = Membership.objects.get(organization=umbrella, user=stranger)
    assert signed_in(owner).post(f"{WHOLE}members/{row.pk}/remove/").status_code == 404
    assert Membership.objects.filter(pk=row.pk).exists()


def test_the_address_is_taken_in_any_case(member, acme_project):
    answer = Client().post("/login/", {"username": f" {member.email.upper()} ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_signing_in_leads_to_no_other_host(member):
    form = {"username": member.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/login/", form).headers["Location"] == "/"


def test_too_many_tries_lock_an_address_for_a_while_and_no_other(acme):
    known, other = make_member(acme), make_member(acme)
    wrong = {"username": known.email, "password": "wrong"}
    statuses = [Client().post("/login/", wrong).status_code for _ in range(MOST_BY_ADDRESS + 1)]
    assert statuses == [200] * MOST_BY_ADDRESS + [429]
    refused = Client().post("/login/", {"username": known.email.upper(), "password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert Client().post("/login/", {"username": other.email, "password": PASSWORD}).status_code == 302


def test_signing_in_well_costs_no_turns(member):
    right = {"username": member.email, "password": PASSWORD}
    assert {Client().post("/login/", right).status_code for _ in range(MOST_BY_ADDRESS + 2)} == {302}


def test_the_audit_trail_says_who_did_what(owner, acme_project):
    client = signed_in(owner)
    client.post(f"{PROJECT}settings/", {"name": "Renamed", "platform": "native"})
    html = client.get(f"{WHOLE}audit/").content.decode()
    assert "project.changed" in html
    assert owner.email in html


def test_an_address_that_leads_nowhere_is_a_page_for_people_and_json_for_the_api(client):
    page = client.get("/nowhere/at/all/of/it/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"][:9]) == (404, "text/html")
    api = client.get("/api/0/nowhere/")
    assert (api.status_code, api.json()["code"]) == (404, "not_found")
