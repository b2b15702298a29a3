"""Operations: who may look, what is seen there, and what can be done about jobs that failed."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from crashes.models import Crash
from engine.sourcetypes.blocked import FAILURES, blocked_hosts
from symbolsvc.environment import SETTINGS
from symbolsvc.operations import place, work
from symbolsvc.operations.left_alone import left_alone, listen
from symbolsvc.operations.staff import make_staff
from symbolsvc.running import cache_report
from tests.cast import make_user
from tests.crashes.pages.made import HOSTILE, make_crash

pytestmark = pytest.mark.django_db

PAGE = "/operations/"
SECRET = "4d1f-secret-of-the-operator"


@pytest.fixture
def staff(db):
    user = make_user("staff@example.com")
    make_staff(user, staff=True)
    return user


@pytest.fixture(autouse=True)
def cache_dir(settings, tmp_path):
    settings.CACHE_DIR = tmp_path
    return tmp_path


def signed_in(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def words(client, path=PAGE):
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def make_job(status="failed", task="crashes.tasks.work", args="{}", queue="crashes"):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args, status, attempts)"
            " VALUES (%s, %s, 0, NULL, %s, %s, 6) RETURNING id",
            [queue, task, args, status],
        )
        return cursor.fetchone()[0]


def status_of(job):
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, attempts FROM procrastinate_jobs WHERE id = %s", [job])
        return cursor.fetchone()


def post(client, path):
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get(PAGE).content.decode())[1]
    return client.post(path, {"csrfmiddlewaretoken": token})


class TestAccess:
    @pytest.mark.parametrize("path", [PAGE, f"{PAGE}figures/"])
    def test_whoever_is_signed_out_is_led_to_the_sign_in_page(self, db, path):
        assert Client().get(path).headers["Location"] == f"/login/?next={path}"

    @pytest.mark.parametrize("path", [PAGE, f"{PAGE}figures/"])
    def test_even_an_owner_of_an_organization_sees_nothing(self, owner, path):
        assert signed_in(owner).get(path).status_code == 404

    @pytest.mark.parametrize("action", ["retry", "delete"])
    def test_nobody_else_does_anything_about_jobs(self, owner, action):
        job = make_job()
        client = signed_in(owner)
        client.cookies["csrftoken"] = "c" * 32
        answer = client.post(f"{PAGE}jobs/{job}/{action}/", headers={"x-csrftoken": "c" * 32})
        assert (answer.status_code, status_of(job)) == (404, ("failed", 6))

    def test_a_forged_post_does_nothing(self, staff):
        job = make_job()
        assert signed_in(staff).post(f"{PAGE}jobs/{job}/delete/").status_code == 403
        assert status_of(job) == ("failed", 6)

    def test_staff_who_was_deactivated_sees_nothing(self, staff):
        client = signed_in(staff)
        staff.is_active = False
        staff.save()
        assert client.get(PAGE).status_code in (302, 404)

    def test_only_staff_is_shown_the_way(self, staff, owner, acme_project):
        assert "Operations" in words(signed_in(staff))
        assert b"/operations/" not in signed_in(owner).get("/organizations/acme/native-app/crashes/now/").content


class TestWhatIsSeen:
    def test_an_installation_at_rest(self, staff):
        said = words(signed_in(staff))
        assert "No job failed for good" in said
        assert "No worker runs" in said
        assert "None: downloads from all hosts work well enough" in said

    def test_crashes_by_state_and_for_how_long_they_wait(self, staff, acme_project):
        for state in (Crash.State.PENDING, Crash.State.PENDING, Crash.State.SET_ASIDE, Crash.State.DONE):
            make_crash(acme_project, state=state)
        found = work.crashes_with_rates()
        assert (found.waiting, found.running, found.set_aside) == (2, 0, 1)
        assert (found.received_in_hour, found.done_in_hour) == (4, 4)
        assert found.age is not None
        said = words(signed_in(staff))
        assert "acme/native-app 1" in said

    def test_queues_with_their_jobs_and_ages(self, staff):
        make_job("todo", queue="uploads")
        make_job("failed", queue="uploads")
        (queue,) = work.queues()
        assert (queue.name, queue.waiting, queue.running, queue.failed) == ("uploads", 1, 0, 1)
        assert queue.age is not None
        assert queue.age >= 0

    def test_a_worker_that_went_silent_is_marked(self, staff):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '1 h')"
            )
        assert [worker.is_silent for worker in work.workers()] == [False, True]
        html = signed_in(staff).get(PAGE).content.decode()
        assert html.count('<span class="badge warn">silent</span>') == 1

    def test_what_the_keeper_found_of_the_cache(self, staff, cache_dir):
        cache_report.write(cache_dir, cache_report.Report(1.0, 3, 500, 1000))
        assert (place.cache().share, place.cache().found.files) == (50, 3)
        assert "500 bytes of 1.0 KB in 3 files" in words(signed_in(staff))

    @pytest.mark.parametrize("content", [b"", b"{", b'{"at": "x"}'])
    def test_a_broken_report_of_the_keeper_counts_as_none(self, cache_dir, content):
        (cache_dir / cache_report.FILE).write_bytes(content)
        assert place.cache().found is None

    def test_a_host_that_a_process_leaves_alone(self, staff, cache_dir):
        listen()
        listen()
        for _ in range(FAILURES):
            blocked_hosts.failed(("org:1", "symbols.example.com"), HOSTILE)
        (one,) = left_alone()
        assert (one.owner, one.host) == ("org:1", "symbols.example.com")
        html = signed_in(staff).get(PAGE).content.decode()
        assert "symbols.example.com" in html
        assert "<script>alert" not in html

    def test_a_host_that_is_asked_again_is_forgotten(self, cache_dir):
        directory = cache_dir / "left-alone"
        directory.mkdir()
        (directory / "a.json").write_text('{"owner": "", "host": "h", "cause": "c", "until": 1.0}')
        (directory / "b.json").write_text("{")
        assert left_alone() == []
        assert not (directory / "a.json").exists()

    def test_settings_that_were_changed_without_secrets(self, staff, settings):
        values = {setting.name: setting.parse(setting.default or "") for setting in SETTINGS}
        changed = {**values, "PUBLIC_URL": "https://symbols.example.com", "WEB_THREADS": 3}
        secrets = {setting.name: SECRET for setting in SETTINGS if setting.secret}
        settings.ENVIRONMENT = {**changed, **secrets, "DATABASE_URL": f"postgresql://u:{SECRET}@h/d"}
        shown = dict(place.changed_settings())
        assert shown["PUBLIC_URL"] == "https://symbols.example.com"
        assert shown["WEB_THREADS"] == "3"
        assert shown["SECRET_KEY"] == "set"
        assert SECRET not in repr(shown)
        assert "LOG_LEVEL" not in shown

    def test_versions_and_stores(self, staff):
        said = words(signed_in(staff))
        for text in ("PostgreSQL", "symbolic", "Local", "connections"):
            assert text in said

    def test_what_jobs_say_stays_text(self, staff):
        make_job(task=HOSTILE, args='{"a": "<script>alert(1)</script>"}', queue="<script>alert(3)")
        assert "<script>alert" not in signed_in(staff).get(PAGE).content.decode()

    def test_a_script_asks_for_the_figures_alone(self, staff):
        answer = signed_in(staff).get(f"{PAGE}figures/", headers={"HX-Request": "true"})
        assert b"<html" not in answer.content
        assert b"Crashes" in answer.content


class TestFailedJobs:
    def test_one_is_run_again(self, staff):
        job, client = make_job(), signed_in(staff)
        answer = post(client, f"{PAGE}jobs/{job}/retry/")
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
        assert status_of(job) == ("todo", 0)
        assert f"Job {job} runs again" in words(client)

    def test_one_is_deleted(self, staff):
        job, client = make_job(), signed_in(staff)
        post(client, f"{PAGE}jobs/{job}/delete/")
        assert status_of(job) is None
        assert f"Job {job} is deleted" in words(client)

    @pytest.mark.parametrize("action", ["retry", "delete"])
    def test_what_does_not_wait_for_people_is_left_alone(self, staff, action):
        job, client = make_job("todo"), signed_in(staff)
        make_job()
        post(client, f"{PAGE}jobs/{job}/{action}/")
        assert status_of(job) == ("todo", 6)
        assert "not among the failed ones any more" in words(client)

    def test_a_number_beyond_all_is_none(self, staff):
        make_job()
        assert post(signed_in(staff), f"{PAGE}jobs/{2**62}/retry/").status_code == 303


class TestStaff:
    def test_a_command_lets_somebody_look_and_no_more(self, member, capsys):
        call_command("staff", member.email.upper())
        member.refresh_from_db()
        assert member.is_staff
        call_command("staff", member.email, "--remove")
        member.refresh_from_db()
        assert not member.is_staff

    def test_somebody_who_is_not_there(self, db):
        with pytest.raises(Exception, match="There is no user"):
            call_command("staff", "nobody@example.com")
