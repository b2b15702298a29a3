"""The pages of a project's files: who may see them and change something, and what is found."""

from __future__ import annotations

import pytest
from django.test import Client

from debugfiles.models import DebugFile
from tests.debugfiles.uploading import APP, LEDGER, LEDGER_DEBUG_ID, bundle_of, upload, upload_bundle

pytestmark = pytest.mark.django_db

BASE = "/organizations/acme/native-app/files/"
PAGES = ("", "bundles/", "releases/", "uploads/", "retention/", "scraping/")


def signed_in(user, *, checks=False):
    client = Client(enforce_csrf_checks=checks)
    client.force_login(user)
    return client


@pytest.mark.parametrize("path", PAGES)
def test_members_see_the_pages_and_nobody_else(path, acme_project, member, stranger):
    assert Client().get(BASE + path).status_code == 302
    assert signed_in(stranger).get(BASE + path).status_code == 404
    assert signed_in(member).get(BASE + path).status_code == 200


def test_a_file_is_found_by_id_and_deleted_by_whoever_may(acme_project, admin, member, stranger):
    (row,) = upload(acme_project, LEDGER.read_bytes(), "<b>libledger.so")
    for query in (LEDGER_DEBUG_ID, LEDGER_DEBUG_ID.replace("-", "").upper(), LEDGER_DEBUG_ID[:6], "libledger"):
        content = signed_in(member).get(BASE, {"query": query}).content
        assert b"&lt;b&gt;libledger.so" in content
        assert b"<b>libledger" not in content
    delete = f"{BASE}{row.pk}/delete/"
    assert signed_in(stranger).post(delete).status_code == 404
    assert signed_in(member).post(delete).status_code == 403
    assert signed_in(admin, checks=True).post(delete).status_code == 403
    assert DebugFile.objects.exists()
    assert signed_in(admin).post(delete).status_code == 303
    assert not DebugFile.objects.exists()


def test_a_bundle_shows_its_files(acme_project, member):
    bundle = upload_bundle(acme_project, bundle_of(APP))
    client = signed_in(member)
    assert b"~/app.min.js" in client.get(f"{BASE}bundles/{bundle.pk}/").content
    assert b"~/app.min.js" in client.get(f"{BASE}bundles/", {"query": "https://x/app.min.js"}).content


@pytest.mark.parametrize("path", ["retention/", "scraping/"])
def test_members_may_not_change_the_rules(path, acme_project, member):
    assert signed_in(member).post(BASE + path, {}).status_code == 403
