"""When a file comes, exactly the crashes that lacked it are processed again."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from crashes.again import Revisions, gap
from crashes.again.arriving import rerun_for
from crashes.again.lacks import LackKind
from crashes.models import Crash, CrashLack, Rerun
from tests.cast import make_project
from tests.crashes.again.lacking import crash_lacking, lack, make_file, run_jobs, script, states
from tests.debugfiles.uploading import APP, DEBUG_ID, bundle_of, upload_bundle, upload_file

pytestmark = pytest.mark.django_db

DONE, PENDING = Crash.State.DONE, Crash.State.PENDING


def test_only_the_crashes_that_lacked_the_file_are_queued(acme, acme_project, umbrella_project):
    came = uuid4()
    lacking = [crash_lacking(acme_project, lack(came), lack()) for _ in range(2)]
    others = [crash_lacking(acme_project, lack()), crash_lacking(acme_project)]
    elsewhere = [crash_lacking(project, lack(came)) for project in (make_project(acme, "other"), umbrella_project)]
    make_file(acme_project, came)
    run_jobs()

    assert states(*lacking) == [PENDING, PENDING]
    assert states(*others, *elsewhere) == [DONE] * 4
    (rerun,) = Rerun.objects.all()
    assert (rerun.reason, rerun.total, rerun.queued, rerun.state) == (
        "app.pdb was uploaded",
        2,
        2,
        Rerun.State.QUEUED,
    )
    assert set(rerun.crashes.all()) == set(lacking)
    assert {crash.priority for crash in rerun.crashes.all()} == {1}


def test_a_file_that_no_crash_lacks_makes_no_run(acme_project):
    crash_lacking(acme_project, lack())
    make_file(acme_project, uuid4())
    run_jobs()
    assert not Rerun.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "came", "queued"), [(0, 0, True), (2, 2, True), (2, 3, True), (2, 1, False)], ids=str
)
def test_a_later_age_serves_and_an_earlier_one_does_not(wanted, came, queued, acme_project):
    debug_uuid = uuid4()
    crash = crash_lacking(acme_project, lack(debug_uuid, age=wanted))
    make_file(acme_project, debug_uuid, age=came)
    run_jobs()
    assert states(crash) == [PENDING if queued else DONE]


def test_a_code_id_serves_without_the_debug_id(acme_project):
    crash = crash_lacking(acme_project, lack(code_id="5ab1c0de1000"))
    make_file(acme_project, uuid4(), code_id="5ab1c0de1000")
    run_jobs()
    assert states(crash) == [PENDING]


@pytest.mark.parametrize("state", [Crash.State.PENDING, Crash.State.RUNNING, Crash.State.SET_ASIDE, Crash.State.KEPT])
def test_a_crash_that_waits_runs_or_cannot_be_read_is_left_alone(state, acme_project):
    debug_uuid = uuid4()
    crash = crash_lacking(acme_project, lack(debug_uuid), state=state)
    before = Crash.objects.get(pk=crash.pk)
    make_file(acme_project, debug_uuid)
    run_jobs()
    after = Crash.objects.get(pk=crash.pk)
    assert (after.state, after.waiting_since) == (state, before.waiting_since)


def test_several_files_for_one_crash_queue_it_once(acme_project):
    uuids = [uuid4() for _ in range(5)]
    crash = crash_lacking(acme_project, *map(lack, uuids))
    for debug_uuid in uuids:
        make_file(acme_project, debug_uuid)
    run_jobs()

    assert states(crash) == [PENDING]
    assert sum(Rerun.objects.values_list("queued", flat=True)) == 1


def test_a_job_that_runs_twice_makes_one_run(acme_project):
    debug_uuid = uuid4()
    crash = crash_lacking(acme_project, lack(debug_uuid))
    arrived = make_file(acme_project, debug_uuid)
    run_jobs()
    # Processed, and the file was of no use.
    Crash.objects.update(state=DONE)
    CrashLack.objects.update(files_revision=1)
    assert rerun_for(arrived) is None
    assert states(crash) == [DONE]


def test_a_crash_that_was_processed_with_the_file_and_still_lacks_it_stays(acme_project):
    debug_uuid = uuid4()
    make_file(acme_project, debug_uuid)
    crash = crash_lacking(acme_project, lack(debug_uuid), seen=Revisions(files=1))
    run_jobs()
    assert states(crash) == [DONE]


def test_a_mapping_is_found_by_its_id(acme_project):
    debug_uuid = uuid4()
    crash = crash_lacking(acme_project, lack(debug_uuid, kind=LackKind.MAPPING, module={}))
    make_file(acme_project, debug_uuid)
    run_jobs()
    assert states(crash) == [PENDING]


def test_a_bundle_serves_by_debug_id_and_by_release(acme_project):
    by_id = crash_lacking(acme_project, script(debug_id=DEBUG_ID))
    by_release = crash_lacking(acme_project, script("https://a.example/app.min.js?v=1", release="1.0", dist="7"))
    others = [
        crash_lacking(acme_project, script("https://a.example/app.min.js", release="1.0")),
        crash_lacking(acme_project, script("https://a.example/app.min.js", release="1.1", dist="7")),
        crash_lacking(acme_project, script("https://a.example/other.js", release="1.0", dist="7")),
    ]
    upload_bundle(acme_project, bundle_of(APP), "1.0", "7")
    run_jobs()
    assert states(by_id, by_release) == [PENDING, PENDING]
    assert states(*others) == [DONE] * 3


@pytest.mark.parametrize(
    ("url", "queued"),
    [
        ("~/static/app.js", [True, False]),
        ("~/static/app.js.map", [True, False]),
        ("~/maps/9f31.map", [True, True]),
        ("~/static/none.js", [False, False]),
    ],
    ids=["the script", "its map", "a map of any script", "another script"],
)
def test_a_file_of_a_release_serves_the_script_that_it_belongs_to(url, queued, acme_project):
    crashes = [
        crash_lacking(acme_project, script(f"https://a.example/static/{name}.js", release="1.0"))
        for name in ("app", "other")
    ]
    upload_file(acme_project, "1.0", url)
    run_jobs()
    assert states(*crashes) == [PENDING if one else DONE for one in queued]


@pytest.fixture
def waiting():
    return ProcrastinateJob.objects.filter(task_name="crashes.again.tasks.arrived")


def test_an_upload_defers_one_job_in_its_own_transaction(acme_project, waiting):
    came = uuid4()
    crash_lacking(acme_project, lack(came))
    with transaction.atomic():
        make_file(acme_project, came)
        assert waiting.count() == 1
        transaction.set_rollback(True)
    assert not waiting.exists()


def test_a_file_that_nobody_lacks_needs_no_job(acme_project, umbrella_project, waiting):
    came = uuid4()
    crash_lacking(umbrella_project, lack(came, code_id="c0de"))
    make_file(acme_project, came, code_id="c0de")
    make_file(acme_project, code_id="c0de")
    assert not waiting.exists()
    make_file(umbrella_project, code_id="c0de")
    assert waiting.count() == 1


def test_while_a_crash_stores_what_it_lacks_the_job_has_to_look(acme_project, umbrella_project, waiting, elsewhere):
    shared = (gap._CLASS, acme_project.pk % gap._NUMBERS)
    with elsewhere.transaction():
        elsewhere.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", shared)
        make_file(umbrella_project, uuid4())
        assert not waiting.exists()
        make_file(acme_project, uuid4())
        assert waiting.count() == 1


def test_no_crash_stores_what_it_lacks_between_the_look_and_the_commit_of_an_upload(acme_project, elsewhere):
    with elsewhere.transaction():
        make_file(acme_project, uuid4())
        asked = "SELECT pg_try_advisory_xact_lock_shared(%s, %s)"
        assert elsewhere.execute(asked, (gap._CLASS, acme_project.pk % gap._NUMBERS)).fetchone() == (False,)


@pytest.fixture
def elsewhere():
    """Another connection to the same database."""
    known = connection.get_connection_params()
    given = {name: known[name] for name in ("dbname", "user", "password", "host", "port") if known.get(name)}
    with psycopg.connect(**given, autocommit=True) as made:
        yield made
