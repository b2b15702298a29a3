"""What crashes lack: recorded, listed by what it would mend, and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from crashes.again import record, tending
from crashes.again.lacks import Lack, LackKind
from crashes.models import CrashLack, LackedFile
from tests.cast import Api, make_project, make_token
from tests.crashes.again.lacking import crash_lacking, lack, lacked_by, script

pytestmark = pytest.mark.django_db

URL = "/api/0/projects/acme/native-app/crashes/lacking/"


@pytest.fixture
def api(acme_project):
    return Api(make_token(acme_project.organization))


def test_the_file_that_most_crashes_lack_comes_first(api, acme, acme_project):
    rare, common = (
        lack(name="rare.pdb"),
        lack(name="C:\\build\\common.pdb", cause="It is not there.", remedy="Upload it."),
    )
    crashes = [crash_lacking(acme_project, common), crash_lacking(acme_project, rare, common)]
    crash_lacking(make_project(acme, "other"), lack())
    first, second = api.get(URL).json()
    assert (first["name"], first["crashes"], first["newestCrash"]) == ("C:\\build\\common.pdb", 2, crashes[1].pk)
    assert (first["cause"], first["remedy"]) == ("It is not there.", "Upload it.")
    assert (second["name"], second["crashes"], second["debugId"]) == ("rare.pdb", 1, rare.debug_id)
    assert second["remedy"]
    assert (first["nextProbeAt"], first["givenUp"]) == (None, False)


def test_pages_follow_each_other(api, acme_project):
    crash_lacking(acme_project, *(lack(name=f"{number}.pdb") for number in range(5)))
    names, cursor = [], ""
    for _ in range(3):
        page = api.get(f"{URL}?per_page=2&cursor={cursor}")
        names += [row["name"] for row in page.json()]
        cursor = page.headers["Link"].split('rel="next"')[1].split('cursor="')[1].split('"')[0]
    assert sorted(names) == [f"{number}.pdb" for number in range(5)]
    assert 'rel="next"; results="false"' in page.headers["Link"]


@pytest.mark.parametrize("query", ["cursor=x", "cursor=0:999999999:0", "cursor=-1:0:0", "per_page=0", "per_page=101"])
def test_a_malformed_place_in_the_list_is_refused(query, api):
    assert api.get(f"{URL}?{query}").status_code == 400


def test_who_may_not_see_crashes_is_refused(acme, acme_project, umbrella):
    assert Api().get(URL).status_code == 401
    assert Api(make_token(umbrella)).get(URL).status_code == 401
    assert Api(make_token(acme, scopes=["project:read"])).get(URL).status_code == 403
    assert Api(make_token(acme, make_project(acme, "other"))).get(URL).status_code == 404


def test_what_a_crash_lacks_is_replaced(acme_project):
    kept, gone, new = lack(), lack(), lack()
    crash = crash_lacking(acme_project, kept, gone)
    with transaction.atomic():
        record(crash, [kept, new, new])
    assert lacked_by(crash) == {kept.debug_id, new.debug_id}
    with transaction.atomic():
        record(crash, [])
    assert lacked_by(crash) == set()


def test_a_file_is_one_wherever_the_module_lay(acme_project):
    debug_uuid = uuid4()
    names = ("/usr/lib/libapp.so", "/opt/libapp.so", "C:\\app\\LIBAPP.SO")
    for name in names:
        crash_lacking(acme_project, lack(debug_uuid, name))
    assert LackedFile.objects.count() == 1


def test_files_that_differ_in_what_finds_them_are_several(acme_project):
    debug_uuid = uuid4()
    crash_lacking(
        acme_project,
        lack(debug_uuid),
        lack(debug_uuid, age=1),
        lack(debug_uuid, code_id="abc"),
        lack(debug_uuid, kind=LackKind.UNWIND_FILE),
        script(release="1.0"),
        script(release="1.0", dist="2"),
        script("https://example.com/sub/app.js", release="1.0"),
    )
    assert LackedFile.objects.count() == 7


def test_texts_that_no_database_stores_are_made_storable_and_cut(acme_project):
    strange = Lack(
        "a_kind_that_is_too_long",
        "a\0b\ud800" + "x" * 1000,
        code_id="y" * 1000,
        release="\0" * 1000,
        dist="z" * 100,
        module={"code_file": "\0\ud800", "list": ["\0"], "bad\0": 1},
        cause="\0" * 5000,
    )
    crash_lacking(acme_project, strange)
    assert LackedFile.objects.get().name.startswith("a")


def test_files_that_nobody_lacks_are_swept_after_a_while(acme_project):
    crash = crash_lacking(acme_project, lack(), lack())
    with transaction.atomic():
        record(crash, [])
    fresh = LackedFile.objects.order_by("pk").last()
    LackedFile.objects.exclude(pk=fresh.pk).update(first_missed_at=datetime.now(UTC) - timedelta(hours=2))
    used = crash_lacking(acme_project, lack())
    LackedFile.objects.exclude(pk=fresh.pk).update(first_missed_at=datetime.now(UTC) - timedelta(hours=2))
    tending.tend()
    assert set(LackedFile.objects.all()) == {fresh, LackedFile.objects.get(lacks__crash=used)}
    assert CrashLack.objects.count() == 1
