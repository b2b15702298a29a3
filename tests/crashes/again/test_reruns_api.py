"""Processing many crashes again by REST: what is meant, window by window, visibly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command

from crashes.again import reruns, tending
from crashes.models import Crash, Rerun
from tests.cast import Api, make_project, make_token
from tests.crashes.again.lacking import crash_lacking, lack, run_jobs, states
from tests.crashes.processing.crashes import make_crash

pytestmark = pytest.mark.django_db

URL = "/api/0/projects/acme/native-app/crashes/reruns/"
DONE, PENDING = Crash.State.DONE, Crash.State.PENDING


@pytest.fixture
def api(acme_project):
    return Api(make_token(acme_project.organization))


def done(project, **fields):
    return make_crash(project, **{"state": DONE, **fields})


def finish(count=None):
    """Process crashes that wait."""
    waiting = Crash.objects.filter(state=PENDING).order_by("pk").values_list("pk", flat=True)
    return Crash.objects.filter(pk__in=list(waiting[:count])).update(state=DONE)


def start(api, **chosen):
    answer = api.post(URL, {"filter": chosen})
    assert answer.status_code == 202, answer.content
    return answer.json()


def test_all_crashes_of_the_project_and_no_others(api, acme, acme_project, umbrella_project):
    mine = [done(acme_project), done(acme_project, state=Crash.State.SET_ASIDE)]
    kept = done(acme_project, state=Crash.State.KEPT)
    others = [done(make_project(acme, "other")), done(umbrella_project)]
    run = start(api)
    assert (run["total"], run["queued"], run["state"], run["kind"]) == (2, 0, "running", "process")
    late = done(acme_project)
    run_jobs()
    assert states(*mine) == [PENDING, PENDING]
    assert states(kept, late, *others) == ["kept", DONE, DONE, DONE]


@pytest.mark.parametrize(
    ("chosen", "fields"),
    [
        ({"version": "2.0"}, {"version": "2.0"}),
        ({"platform": "native"}, {"platform": "native"}),
        ({"os": "Linux"}, {"os_name": "Linux"}),
        ({"state": "set_aside"}, {"state": "set_aside"}),
        ({"since": "2026-01-02T00:00:00Z"}, {"received_at": datetime(2026, 1, 2, tzinfo=UTC)}),
        ({"until": "2024-01-02T00:00:00Z"}, {"received_at": datetime(2024, 1, 1, tzinfo=UTC)}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_only_what_the_filter_means(chosen, fields, api, acme_project):
    meant = done(acme_project, **{"received_at": datetime(2025, 1, 1, tzinfo=UTC), **fields})
    other = done(acme_project, received_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert start(api, **chosen)["total"] == 1
    run_jobs()
    assert states(meant, other) == [PENDING, DONE]


def test_by_ids_and_by_what_they_lack(api, acme_project):
    debug_uuid = uuid4()
    lacking, named, other = crash_lacking(acme_project, lack(debug_uuid)), done(acme_project), done(acme_project)
    assert start(api, ids=[named.pk])["total"] == 1
    assert start(api, lacking=str(debug_uuid).upper())["total"] == 1
    run_jobs()
    assert states(lacking, named, other) == [PENDING, PENDING, DONE]


def test_a_run_tells_how_far_it_is(api, acme_project):
    for _ in range(4):
        done(acme_project)
    url = f"{URL}{start(api)['id']}/"
    run_jobs()
    finish(2)
    Crash.objects.filter(pk=Crash.objects.filter(state=PENDING).first().pk).update(state=Crash.State.SET_ASIDE)
    run = api.get(url).json()
    assert [run[name] for name in ("state", "total", "queued", "waiting", "done", "failed")] == [
        "queued",
        4,
        4,
        1,
        2,
        1,
    ]
    assert run["estimatedEnd"] > run["startedAt"]
    finish()
    tending.tend()
    run = api.get(url).json()
    assert [run[name] for name in ("state", "waiting", "done", "failed", "estimatedEnd")] == ["done", 0, 3, 1, None]
    assert run["finishedAt"]


def test_a_run_goes_on_in_windows_and_keeps_a_bounded_number_waiting(api, acme_project, monkeypatch):
    monkeypatch.setattr(reruns, "WINDOW", 2)
    monkeypatch.setattr(reruns, "MOST_WAITING", 4)
    crashes = [done(acme_project) for _ in range(7)]
    run = Rerun.objects.get(pk=start(api)["id"])
    assert reruns.advance(run.pk)
    assert states(*crashes) == [PENDING] * 2 + [DONE] * 5
    # The job that was to go on is killed; the next one goes on where it was.
    run_jobs()
    assert states(*crashes) == [PENDING] * 4 + [DONE] * 3
    for _ in range(3):
        finish()
        tending.tend()
        run_jobs()
    run.refresh_from_db()
    assert (run.queued, run.state, set(run.crashes.all())) == (7, Rerun.State.DONE, set(crashes))


def test_a_window_that_fails_is_undone_with_its_cursor(api, acme_project, monkeypatch):
    crashes = [done(acme_project) for _ in range(2)]
    run = start(api)
    real, monkey = reruns.queue, lambda *a, **k: (_ for _ in ()).throw(ConnectionError())
    monkeypatch.setattr(reruns, "queue", monkey)
    with pytest.raises(ConnectionError):
        reruns.advance(run["id"])
    assert Rerun.objects.get(pk=run["id"]).cursor == 0
    monkeypatch.setattr(reruns, "queue", real)
    reruns.advance(run["id"])
    assert states(*crashes) == [PENDING] * 2


def test_a_cancelled_run_queues_nothing_more(api, acme_project):
    crash = done(acme_project)
    run = start(api)
    assert api.delete(f"{URL}{run['id']}/").json()["state"] == "cancelled"
    run_jobs()
    assert states(crash) == [DONE]
    assert api.delete(f"{URL}{run['id']}/").status_code == 200


def test_runs_are_listed_newest_first(api, acme_project):
    ids = [start(api)["id"] for _ in range(3)]
    page = api.get(f"{URL}?per_page=2")
    assert [run["id"] for run in page.json()] == ids[:0:-1]
    assert 'rel="next"; results="true"' in page.headers["Link"]


def test_runs_by_hand_are_bounded(api, acme_project, monkeypatch):
    monkeypatch.setattr(reruns, "_MOST_RUNNING", 1)
    start(api)
    assert api.post(URL, {}).status_code == 429


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"ids": ["x"]}},
        {"filter": {"ids": [0]}},
        {"filter": {"ids": list(range(1, 1002))}},
        {"filter": {"state": "none"}},
        {"filter": {"since": "yesterday"}},
        {"filter": {"since": "2026-01-01T00:00:00"}},
        {"filter": {"lacking": ""}},
        {"filter": {"group": 2**63}},
        {"filter": {"version": "a\u0000"}},
        {"filter": {"surprise": 1}},
        {"more": 1},
    ],
    ids=["id", "zero", "too many", "state", "time", "zone", "empty", "group", "nul", "unknown", "field"],
)
def test_what_is_no_filter_is_refused(body, api):
    answer = api.post(URL, body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not Rerun.objects.exists()


@pytest.mark.parametrize("path", ["", "1/"], ids=["list", "one"])
def test_who_may_not_is_refused(path, acme, acme_project, umbrella):
    run = Rerun.objects.create(project=acme_project)
    url = URL + (f"{run.pk}/" if path else "")
    write = ("DELETE",) if path else ("POST",)
    assert Api().get(url).status_code == 401
    assert Api(make_token(umbrella)).get(url).status_code == 401
    assert Api(make_token(acme, scopes=["project:read"])).get(url).status_code == 403
    assert Api(make_token(acme, make_project(acme, "other"))).get(url).status_code == 404
    reader = Api(make_token(acme, scopes=["event:read"]))
    assert reader.get(url).status_code == 200
    assert [reader.request(method, url, {}).status_code for method in write] == [403]


@pytest.mark.parametrize("reference", ["0", "9" * 18, "9" * 19, "x", "-1"])
def test_a_run_that_is_not_there_or_of_another_project_is_not_found(reference, api, acme):
    other = Rerun.objects.create(project=make_project(acme, "other"))
    assert api.get(f"{URL}{reference}/").status_code == 404
    assert api.get(f"{URL}{other.pk}/").status_code == 404


def test_runs_that_ended_long_ago_are_forgotten(acme_project):
    old, new = (
        Rerun.objects.create(
            project=acme_project, state=Rerun.State.DONE, finished_at=datetime.now(UTC) - timedelta(days=days)
        )
        for days in (31, 29)
    )
    tending.tend()
    assert list(Rerun.objects.all()) == [new]


def test_the_command_starts_shows_and_cancels(acme_project, capsys):
    crash = done(acme_project, version="2.0")
    done(acme_project)
    place = ("--org", "acme", "--project", "native-app")
    call_command("process_again", *place, "--app-version", "2.0")
    assert "0 of 1 done" in capsys.readouterr().out
    run_jobs()
    assert states(crash) == [PENDING]
    call_command("process_again", *place, "--list")
    assert "queued, 0 of 1 done, 1 waiting" in capsys.readouterr().out
    call_command("process_again", *place, "--cancel", str(Rerun.objects.get().pk))
    assert "cancelled" in capsys.readouterr().out
