"""What crashes lack, as a page: who may see it, what it shows, and asking the sources at once."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from crashes.again.lacks import Lack, LackKind
from crashes.models import LackedFile
from projects.models import AuditEntry
from tests.cast import make_project
from tests.crashes.again.lacking import crash_lacking, lack, make_file, run_jobs, script

pytestmark = pytest.mark.django_db

PAGE = "/organizations/acme/native-app/crashes/missing/"
UUID_A = UUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")


def signed_in(user, *, checks=False):
    client = Client(enforce_csrf_checks=checks)
    client.force_login(user)
    return client


@pytest.fixture
def client(member):
    return signed_in(member)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_project_without_crashes_says_what_will_be_here(client, acme_project):
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert "No crash has come yet." in text_of(answer)


def test_a_project_that_lacks_nothing_says_so(client, acme_project):
    crash_lacking(acme_project)
    assert "Nothing is missing" in text_of(client.get(PAGE))


def test_each_file_has_its_ids_cause_remedy_and_newest_crash(client, acme, acme_project):
    common = lack(
        UUID_A, "C:\\build\\app.pdb", cause="Nobody has it.", remedy="Upload app.pdb.", age=2, code_id="5f1a2b"
    )
    crash_lacking(acme_project, common)
    newest = crash_lacking(acme_project, lack(name="rare.pdb"), common)
    crash_lacking(make_project(acme, "other"), lack(name="elsewhere.pdb"))
    answer = client.get(PAGE)
    text = text_of(answer)
    assert text.index("app.pdb 2 crashes") < text.index("rare.pdb 1 crash ")
    for said in (f"{UUID_A}-2", "5f1a2b", "Nobody has it.", "Upload app.pdb.", "C:\\build\\app.pdb"):
        assert said in text
    assert f'href="/organizations/acme/native-app/crashes/{newest.pk}/"'.encode() in answer.content
    assert "elsewhere.pdb" not in text


def test_who_may_upload_gets_a_link_that_names_the_file_and_the_crash(admin, member, acme_project):
    crash = crash_lacking(acme_project, lack(UUID_A))
    address = f"/organizations/acme/native-app/files/upload/?for={UUID_A}&amp;crash={crash.pk}".encode()
    assert address in signed_in(admin).get(PAGE).content
    assert address not in signed_in(member).get(PAGE).content


HERE = "--org acme --project native-app"
MAPPING = Lack(LackKind.MAPPING, "", debug_uuid=UUID_A, debug_id=str(UUID_A))


@pytest.mark.parametrize(
    ("lacked", "command"),
    [
        (lack(UUID_A), f"debug-files upload {HERE} --id {UUID_A} --wait ."),
        (Lack(LackKind.DEBUG_FILE, "x.so", code_id="abcd"), f"debug-files upload {HERE} --wait ."),
        (script(release="app@1 0", dist="7"), f"sourcemaps upload {HERE} --release 'app@1 0' --dist 7"),
        (MAPPING, f"upload-proguard {HERE} --uuid {UUID_A} mapping.txt"),
    ],
    ids=["debug id", "code id", "release", "mapping"],
)
def test_the_command_that_uploads_it_is_ready_to_copy(lacked, command, client, acme_project):
    crash_lacking(acme_project, lacked)
    assert command in text_of(client.get(PAGE)).replace("&#x27;", "'")


@pytest.mark.parametrize("spelling", [str(UUID_A), UUID_A.hex.upper(), f"{UUID_A}-2", "ABCD"])
def test_one_file_is_found_by_its_id_with_the_crashes_that_lack_it(spelling, client, acme_project):
    wanted = lack(UUID_A, "wanted.pdb", age=2, code_id="abcd")
    crash = crash_lacking(acme_project, wanted, lack(name="another.pdb"))
    answer = client.get(PAGE, {"for": spelling})
    assert "wanted.pdb" in text_of(answer)
    assert "another.pdb" not in text_of(answer)
    assert "Crashes that lack it" in text_of(answer)
    assert answer.content.count(f"/crashes/{crash.pk}/".encode()) >= 2


def test_an_id_that_nobody_lacks_any_more_is_said_to_have_come(client, acme_project):
    crash_lacking(acme_project, lack())
    answer = client.get(PAGE, {"for": str(UUID_A)})
    assert "No crash lacks a file with the id" in text_of(answer)
    assert client.get(PAGE, {"for": "\x00<b>"}).status_code == 200


def test_many_files_are_shown_page_by_page(client, acme_project, monkeypatch):
    monkeypatch.setattr("crashes.pages.missing.ROWS", 2)
    crash_lacking(acme_project, *(lack(name=f"file{number}.pdb") for number in range(5)))
    seen, address = [], PAGE
    for _ in range(3):
        content = client.get(address).content.decode()
        seen += re.findall(r"<h2 class=\"missing-name\">(file\d.pdb)", content)
        following = re.search(r'rel="next" href="([^"]+)"', content)
        address = PAGE + following[1].replace("&amp;", "&") if following else ""
    assert sorted(seen) == [f"file{number}.pdb" for number in range(5)]
    assert not address
    assert client.get(f"{PAGE}?start=99999999999999").status_code == 200


def test_a_run_that_a_file_started_is_shown_while_it_goes_on(client, acme_project):
    crash_lacking(acme_project, lack(UUID_A))
    make_file(acme_project, UUID_A)
    run_jobs()
    assert "Crashes are being symbolicated again" in text_of(client.get(PAGE))


def test_the_sources_are_asked_at_once_also_for_what_had_been_given_up(client, member, acme_project):
    crash_lacking(acme_project, lack(UUID_A))
    file = LackedFile.objects.get()
    LackedFile.objects.update(probes=9, next_probe_at=None)
    answer = client.post(f"{PAGE}{file.pk}/ask/", {"for": str(UUID_A)})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?for={UUID_A}")
    assert "asked for app.pdb within a minute" in text_of(client.get(PAGE))
    file.refresh_from_db()
    assert file.probes == 0
    assert file.next_probe_at <= timezone.now()
    entry = AuditEntry.objects.get(action="lacked_file.asked_again")
    assert (entry.user_id, entry.project_id) == (member.pk, acme_project.pk)


def test_a_file_that_no_source_could_have_is_not_asked_for(client, acme_project):
    crash_lacking(acme_project, script())
    file = LackedFile.objects.get()
    assert f"{PAGE}{file.pk}/ask/" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}{file.pk}/ask/").status_code == 409
    file.refresh_from_db()
    assert file.next_probe_at is None


def test_all_files_that_a_source_could_have_are_asked_for_together(client, acme, acme_project):
    crash_lacking(acme_project, lack(), lack(), script())
    crash_lacking(make_project(acme, "other"), lack())
    assert client.post(f"{PAGE}ask/").headers["Location"] == PAGE
    assert "asked for 2 files" in text_of(client.get(PAGE))
    assert LackedFile.objects.filter(next_probe_at=None).count() == 2


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}?for=abcd"], ids=["list", "one file"])
def test_who_may_see_it(path, acme_project, member, stranger):
    assert Client().get(path).status_code == 302
    assert signed_in(stranger).get(path).status_code == 404
    assert signed_in(member).get(path).status_code == 200


def test_who_may_ask_the_sources(acme_project, umbrella_project, member, stranger):
    crash_lacking(acme_project, lack())
    for path in (f"{PAGE}ask/", f"{PAGE}{LackedFile.objects.get().pk}/ask/"):
        assert Client().post(path).status_code == 302
        assert signed_in(stranger).post(path).status_code == 404
        assert signed_in(stranger).post(path.replace("acme", "umbrella")).status_code in (303, 404)
        assert signed_in(member, checks=True).post(path).status_code == 403
        assert signed_in(member).get(path).status_code == 405
    assert LackedFile.objects.get().next_probe_at is None


def test_what_crashes_say_is_shown_as_text(client, acme_project):
    evil = "<script>alert(1)</script>"
    named = lack(name=f"/x/{evil}.so", code_id="<img src=x onerror=alert(2)>", cause=evil, remedy=evil)
    mapped = script(f"https://x/{evil}.js", release=f"{evil}'; rm -rf /", dist=evil)
    crash_lacking(acme_project, named, mapped, title=evil)
    content = client.get(PAGE).content + client.get(PAGE, {"for": evil}).content
    assert b"<script>alert" not in content
    assert b"<img src=x" not in content
    assert b"&lt;script&gt;alert" in content
