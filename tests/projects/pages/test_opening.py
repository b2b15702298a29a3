"""Who may open a page."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db

PROJECT = "/organizations/acme/native-app/"


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", ["/", "/organizations/acme/", PROJECT])
def test_whoever_is_signed_out_is_led_to_the_sign_in_page_and_back(acme_project, path):
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={path}")


def test_signing_in_leads_back(member, acme_project):
    answer = Client().post(f"/login/?next={PROJECT}", {"username": member.email, "password": PASSWORD, "next": PROJECT})
    assert (answer.status_code, answer.headers["Location"]) == (302, PROJECT)


def test_a_member_sees_the_project_and_nothing_foreign_can_load(member, acme_project):
    answer = signed_in(member).get(PROJECT)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert b"native-app" in answer.content


def test_what_is_not_ones_own_looks_as_if_it_did_not_exist(stranger, acme_project):
    client = signed_in(stranger)
    answers = [client.get(path) for path in (PROJECT, "/organizations/acme/", "/organizations/nobody/")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({re.sub(r'(csrftoken": "|value=")\w+', "", answer.content.decode()) for answer in answers}) == 1


def test_a_part_of_a_page_leads_a_signed_out_script_to_the_sign_in_page(acme_project):
    answer = Client().get(PROJECT, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/login/")
