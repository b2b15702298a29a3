"""The pages of organizations and projects: who may open them, what they change, and that names stay text."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from projects import members, services
from projects.access import SYSTEM
from projects.models import ApiToken, AuditEntry, Membership, Project
from projects.pages.signing.turns import MOST_BY_ADDRESS
from projects.scopes import MEMBER
from tests.cast import PASSWORD, make_member

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


@pytest.mark.parametrize("path", [f"{WHOLE}new/", f"{WHOLE}members/", f"{PROJECT}tokens/new/", f"{PROJECT}clients/"])
def test_a_form_from_elsewhere_changes_nothing(acme_project, owner, path):
    answer = signed_in(owner, enforce_csrf_checks=True).post(path, {"name": "x"}, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert b"<h1>" in answer.content
    assert not ApiToken.objects.exists()
    assert Project.objects.count() == 1


def test_names_stay_text(acme_project, owner):
    services.update_project(project=acme_project, actor=SYSTEM, name=HOSTILE, platform="<b>")
    client = signed_in(owner)
    client.post(f"{PROJECT}tokens/new/", {"name": HOSTILE, "scopes": ["error:post"], "expires": ""})
    client.post(f"{PROJECT}clients/", {"label": HOSTILE})
    for path in PAGES:
        assert b"<script>alert" not in client.get(path).content, path


def test_a_project_is_created_and_says_what_to_do_next(acme, admin):
    client = signed_in(admin)
    made = client.post(f"{WHOLE}new/", {"name": "Shop", "slug": "", "platform": ""})
    assert (made.status_code, made.headers["Location"]) == (303, f"{WHOLE}shop/")
    answer = client.get(f"{WHOLE}shop/")
    assert b"sentry-cli" in answer.content
    assert b"/minidump" in answer.content


def test_a_refused_slug_is_said_beside_its_field(acme, admin):
    answer = signed_in(admin).post(f"{WHOLE}new/", {"name": "Shop", "slug": "tokens", "platform": ""})
    assert answer.status_code == 400
    assert b'id="id_slug_error"' in answer.content


def test_a_token_is_shown_once_with_the_lines_that_use_it(acme_project, admin):
    client = signed_in(admin)
    form = {"name": "field", "scopes": ["error:post"], "expires": "30"}
    shown = client.post(f"{PROJECT}tokens/new/", form).content.decode()
    text = re.search(r"[0-9a-f]{64}", shown)[0]
    assert f"/acme/{text}/minidump" in shown
    assert text not in client.get(f"{PROJECT}tokens/").content.decode()
    token = ApiToken.objects.get()
    assert client.post(f"{PROJECT}tokens/{token.pk}/revoke/").status_code == 303
    assert ApiToken.objects.get().revoked_at is not None


def test_nobody_gives_a_token_more_than_they_have(acme_project, admin):
    client = signed_in(admin)
    form = {"name": "x", "scopes": ["org:admin"], "expires": "", "project": "native-app"}
    assert client.post(f"{WHOLE}tokens/new/", form).status_code == 400
    whole = {**form, "scopes": ["error:post"], "project": ""}
    assert client.post(f"{WHOLE}tokens/new/", whole).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_new_member_gets_a_password_by_a_link_that_works_once(acme, owner):
    shown = signed_in(owner).post(f"{WHOLE}members/", {"email": "New@Example.com", "role": MEMBER}).content.decode()
    link = re.search(r"/accounts/invited/[^<\"]+/", shown)[0]
    invited = Client()
    place = invited.get(link).headers["Location"]
    chosen = {"new_password1": "long enough for all", "new_password2": "long enough for all"}
    assert invited.post(place, chosen).status_code == 302
    assert invited.get(WHOLE).status_code == 200
    assert b"This invitation is over" in Client().get(link).content


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
    assert signed_in(admin).post(f"{WHOLE}members/{row.pk}/remove/").status_code == 403
    assert client.post(f"{WHOLE}members/{row.pk}/remove/").status_code == 303
    assert signed_in(member).get(WHOLE).status_code == 404
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"member.changed", "member.removed"}
    shown = client.get(f"{WHOLE}audit/?action=member.removed").content
    assert b"<code>member.removed</code>" in shown
    assert b"<code>member.changed</code>" not in shown


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
