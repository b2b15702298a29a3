"""Uploading from a page: by a form alone, and file by file from a script."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from debugfiles.models import ArtifactBundle, DebugFile
from debugfiles.records.models import UploadRecord
from tests.debugfiles.uploading import (
    APP,
    DEBUG_ID,
    LEDGER,
    LEDGER_CODE_ID,
    LEDGER_DEBUG_ID,
    PROGUARD,
    bundle_of,
    upload,
)

pytestmark = pytest.mark.django_db

PAGE = "/organizations/acme/native-app/files/upload/"
OTHER_ID = "00112233-4455-6677-8899-aabbccddeeff"


def signed_in(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


@pytest.fixture
def client(admin, acme_project):
    return signed_in(admin)


def action(client, query=""):
    """Where the form of the page leads."""
    text = client.get(PAGE + query).content.decode()
    return re.search(r'<form method="post" action="([^"]+)" enctype', text)[1].replace("&amp;", "&")


def by_form(client, *files, query="", **fields):
    sent = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(action(client, query), {"file": sent, **fields})


def by_script(client, name, content, query=""):
    address = f"{action(client, query)}&name={name}"
    headers = {"HX-Request": "true"}
    return client.post(address, content, content_type="application/octet-stream", headers=headers)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def archive(**members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name, content in members.items():
            target.writestr(name.replace("__", "."), content)
    return made.getvalue()


def test_a_form_uploads_several_files_and_says_what_became_of_each(client, acme_project):
    answer = by_form(client, ("libledger.so", LEDGER.read_bytes()), ("mapping.txt", PROGUARD), ("notes.txt", b"hello"))
    assert answer.status_code == 200
    assert set(DebugFile.objects.values_list("symbol_type", flat=True)) == {"elf", "proguard"}
    text = text_of(answer)
    assert LEDGER_DEBUG_ID in text
    assert LEDGER_CODE_ID in text
    assert "notes.txt refused" in text
    assert "notes.txt: not a debug file that can be read" in text
    assert text.count("stored") == 2


def test_a_script_sends_one_file_as_it_is_and_gets_a_part_of_a_page(client, acme_project):
    answer = by_script(client, "libledger.so", LEDGER.read_bytes())
    assert answer.status_code == 200
    assert b"<html" not in answer.content
    assert DebugFile.objects.get().object_name == "libledger.so"
    assert UploadRecord.objects.get().format == "browser"


def test_what_was_there_before_is_said_to_have_been(client, acme_project):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert "was there already" in text_of(by_script(client, "again.so", LEDGER.read_bytes()))
    assert DebugFile.objects.count() == 1


def test_an_archive_is_taken_apart_and_what_is_of_no_use_is_named(client, acme_project):
    content = archive(libledger__so=LEDGER.read_bytes(), readme__txt=b"read me")
    text = text_of(by_form(client, ("build.zip", content)))
    assert LEDGER_DEBUG_ID in text
    assert "1 file of it not taken" in text
    assert "readme.txt : not a debug file" in text
    assert UploadRecord.objects.get().refused == 1


def test_an_archive_of_nothing_useful_says_why(client, acme_project):
    text = text_of(by_form(client, ("build.zip", archive(readme__txt=b"read me"))))
    assert "Nothing of the archive could be taken" in text
    assert not DebugFile.objects.exists()


def test_an_artifact_bundle_is_known_by_its_content(client, acme_project):
    text = text_of(by_script(client, "bundle.zip", bundle_of(APP)))
    assert "The bundle and its 2 files" in text
    assert ArtifactBundle.objects.get().projects.get() == acme_project


SOURCE_MAP = (b'{"version":3,"sources":["a.js"],"names":[],"mappings":"AAAA","debugId":"%s"}' % DEBUG_ID.encode(),)


@pytest.mark.parametrize("packed", [False, True], ids=["alone", "in an archive"])
def test_scripts_and_maps_become_a_bundle(packed, client, acme_project):
    (content,) = SOURCE_MAP
    name, content = ("maps.zip", archive(app__js__map=content)) if packed else ("app.js.map", content)
    answer = by_script(client, name, content, f"?for={DEBUG_ID}")
    assert DEBUG_ID in text_of(answer)
    assert "This is the file." in text_of(answer)
    assert ArtifactBundle.objects.count() == 1


@pytest.mark.parametrize(
    "asked",
    [LEDGER_DEBUG_ID, LEDGER_DEBUG_ID.replace("-", "").upper(), f"{LEDGER_DEBUG_ID}-0", LEDGER_CODE_ID],
    ids=["debug id", "without dashes", "with an age", "code id"],
)
def test_the_file_that_was_asked_for_is_recognised(asked, client, acme_project):
    answer = by_script(client, "libledger.so", LEDGER.read_bytes(), f"?for={asked}&crash=17")
    assert "This is the file." in text_of(answer)
    assert "symbolicated again by themselves" in text_of(answer)
    assert b"/organizations/acme/native-app/crashes/17/" in answer.content
    assert f"/organizations/acme/native-app/crashes/missing/?for={asked}".encode() in answer.content


def test_a_file_of_another_build_is_told_apart(client, acme_project):
    text = text_of(by_form(client, ("libledger.so", LEDGER.read_bytes()), query=f"?for={OTHER_ID}"))
    assert f"This file has another id than {OTHER_ID}" in text
    assert LEDGER_DEBUG_ID in text
    assert "This is the file." not in text


def test_a_file_that_was_refused_is_not_the_one_that_was_asked_for(client, acme_project):
    text = text_of(by_script(client, "x.so", b"what?", f"?for={OTHER_ID}"))
    assert f"the file with the id {OTHER_ID} is still missing" in text


def test_the_page_says_when_the_file_is_here_already(client, acme_project):
    upload(acme_project, LEDGER.read_bytes(), "libledger.so")
    assert "It is here already." in text_of(client.get(f"{PAGE}?for={LEDGER_DEBUG_ID}"))
    assert "It is here already." not in text_of(client.get(f"{PAGE}?for={OTHER_ID}"))


@pytest.mark.parametrize("asked", ["", "x", "<script>", "9" * 200, "\x00"], ids=["none", "x", "html", "long", "nul"])
def test_what_is_no_id_is_not_asked_for(asked, client, acme_project):
    answer = client.get(PAGE, {"for": asked})
    assert answer.status_code == 200
    assert "The file that is looked for" not in text_of(answer)


def test_the_crash_that_the_link_stood_on_is_linked_back(client, acme_project):
    came_from = {"Referer": "http://testserver/organizations/acme/native-app/crashes/5/?thread=2"}
    answer = client.get(f"{PAGE}?for={OTHER_ID}", headers=came_from)
    assert b'href="/organizations/acme/native-app/crashes/5/"' in answer.content
    elsewhere = {"Referer": "http://testserver/organizations/umbrella/native-app/crashes/5/"}
    assert b"/crashes/5/" not in client.get(f"{PAGE}?for={OTHER_ID}", headers=elsewhere).content


def test_an_id_can_be_given_to_a_file_that_does_not_name_its_own(client, acme_project):
    text = text_of(by_form(client, ("mapping.txt", PROGUARD), debug_id=OTHER_ID))
    assert OTHER_ID in text
    assert DebugFile.objects.get().debug_id == OTHER_ID


@pytest.mark.parametrize(
    ("files", "fields", "said"),
    [
        ([], {}, "Choose a file first."),
        ([("a.so", b"x")], {"debug_id": "what?"}, "The id must be a UUID"),
        ([("a.so", b"x"), ("b.so", b"x")], {"debug_id": OTHER_ID}, "An id can be given to a single file only."),
    ],
    ids=["no file", "no id", "an id for two"],
)
def test_a_form_with_a_problem_comes_again_and_says_which(files, fields, said, client, acme_project):
    answer = by_form(client, *files, **fields)
    assert answer.status_code == 400
    assert said in text_of(answer)
    assert b'aria-invalid="true"' in answer.content
    assert not DebugFile.objects.exists()


def test_an_upload_that_is_too_large_is_refused_by_the_page(client, acme_project, monkeypatch):
    monkeypatch.setattr("debugfiles.pages.receiving.max_upload_bytes", lambda: 1000)
    answer = by_form(client, ("large.so", b"x" * 2000))
    assert answer.status_code == 413
    assert not DebugFile.objects.exists()


def test_the_body_of_an_upload_may_be_as_large_as_one_of_the_api(acme_project):
    from django.urls import resolve

    from core.wire.body import view_limit
    from debugfiles.upload_views import UploadView

    assert view_limit(resolve(PAGE).func) == UploadView.body_limit


@pytest.mark.parametrize("where", ["?", "?ticket=", "?ticket=forged", "?csrfmiddlewaretoken=x"])
def test_a_forged_form_uploads_nothing(where, client, acme_project):
    answer = client.post(f"{PAGE}{where}", {"file": SimpleUploadedFile("a.so", LEDGER.read_bytes())})
    assert answer.status_code == 403
    assert not DebugFile.objects.exists()


def test_the_address_of_one_members_form_is_of_no_use_to_another(client, owner, acme_project):
    stolen = action(client)
    answer = signed_in(owner).post(stolen, {"file": SimpleUploadedFile("a.so", LEDGER.read_bytes())})
    assert answer.status_code == 403
    assert not DebugFile.objects.exists()


def test_a_member_who_may_not_upload_is_told_so(member, acme_project):
    client = signed_in(member)
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"file": SimpleUploadedFile("a.so", b"x")}).status_code == 403


def test_names_of_files_are_shown_as_text(client, acme_project):
    evil = "<img src=x onerror=alert(1)>.so"
    answer = by_form(client, (evil, LEDGER.read_bytes()), ("<script>alert(2)</script>", b"nothing"))
    packed = by_form(
        client, ("evil.zip", archive(**{"<svg onload=alert(3)>.txt": b"x", "ok__so": LEDGER.read_bytes()}))
    )
    for text in (answer.content, packed.content):
        for piece in (b"<img src=x", b"<script>alert", b"<svg onload"):
            assert piece not in text
    assert b"&lt;img src=x onerror=alert(1)&gt;.so" in answer.content
    assert b"&lt;svg onload=alert(3)&gt;" in packed.content


def test_commands_for_a_build_are_ready_to_copy(client, acme_project):
    text = text_of(client.get(PAGE))
    assert "sentry-cli --url http://testserver/ --auth-token $TOKEN debug-files upload --org acme" in text
    assert "http://testserver/api/0/projects/acme/native-app/debug-files/" in text
