"""`/metrics`: what stands there is what is declared, who may read it, and that it counts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import DatabaseError
from django.test import Client, RequestFactory
from prometheus_client.parser import text_string_to_metric_families

from core.metrics.declared import COUNTER, DECLARED
from crashes.models import Crash
from engine.lookup.diagnosis import SourceTries
from engine.lookup.model import Outcome, TryRecord
from sources.models import SourceDay
from sources.statistics.counting import note
from symbolsvc.environment import BASE_DIR
from symbolsvc.metrics import documentation, views
from symbolsvc.metrics.middleware import MetricsMiddleware
from symbolsvc.operations.staff import make_staff
from symbolsvc.running import cache_report
from tests.cast import make_user
from tests.crashes.pages.made import make_crash

pytestmark = pytest.mark.django_db
TOKEN = "token-of-prometheus"


@pytest.fixture(autouse=True)
def cache_dir(settings, tmp_path):
    settings.CACHE_DIR = tmp_path
    return tmp_path


@pytest.fixture
def environment(settings):
    def change(**values):
        settings.ENVIRONMENT = {**settings.ENVIRONMENT, **values}

    return change


def families(client=None):
    answer = (client or Client()).get("/metrics")
    assert answer.status_code == 200, answer.content
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def value(name, **labels):
    family = families()[name.removesuffix("_total")]
    found = [one.value for one in family.samples if one.name == name and one.labels == labels]
    return found[0] if found else 0.0


def test_what_stands_there_is_what_is_declared(cache_dir):
    cache_report.write(cache_dir, cache_report.Report(1.0, 3, 500, 1000))
    found = families()
    names = {one.name.removesuffix("_total") if one.kind == COUNTER else one.name: one for one in DECLARED}
    assert set(found) == set(names)
    for name, family in found.items():
        assert (family.type, family.documentation) == (names[name].kind, names[name].help)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} <= set(names[name].labels)


def test_the_documentation_is_that_of_the_declarations():
    assert (BASE_DIR / "docs/metrics.md").read_text() == documentation.page()


def test_gauges_are_of_the_whole_installation(acme_project, cache_dir):
    make_crash(acme_project, state=Crash.State.PENDING)
    make_crash(acme_project, state=Crash.State.SET_ASIDE)
    cache_report.write(cache_dir, cache_report.Report(1.0, 3, 500, 1000))
    assert value("symbolsvc_crashes", state="pending") == 1
    assert value("symbolsvc_crashes", state="set_aside") == 1
    assert value("symbolsvc_cache_bytes") == 500
    assert value("symbolsvc_database_bytes") > 1_000_000


def test_requests_count_by_view_and_status():
    labels = {"view": "symbolsvc.health.livez", "status": "200"}
    before = value("symbolsvc_requests_total", **labels)
    Client().get("/livez")
    Client().get("/livez")
    assert value("symbolsvc_requests_total", **labels) == before + 2


def test_whatever_addresses_are_asked_for_there_are_no_more_labels():
    for _ in range(2):
        # The request for the figures is counted too, after it was answered.
        Client().get("/nothing/here/at/all/1")
        families()
    before = len(families()["symbolsvc_requests"].samples)
    for number in range(50):
        Client().get(f"/nothing/here/at/all/{number}")
    assert len(families()["symbolsvc_requests"].samples) == before


@pytest.mark.parametrize(("path", "outcome"), [("/post?format=json", "token"), ("/api/0/none", None)])
def test_refused_submissions_count_by_reason(path, outcome):
    before = value("symbolsvc_submissions_total", outcome=outcome or "other")
    Client(raise_request_exception=False).post(path, b"{}", content_type="application/json")
    after = value("symbolsvc_submissions_total", outcome=outcome or "other")
    assert after - before == (0 if outcome is None else 1)


class TestAccess:
    def test_the_machine_itself_may_read_it(self):
        assert families()

    @pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "", "nonsense"])
    def test_others_may_not(self, address):
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 401

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"])
    def test_what_a_proxy_here_sends_on_may_not(self, header):
        assert Client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 401

    def test_with_proxies_in_front_nobody_may_without_a_token(self, environment):
        environment(PROXIES_IN_FRONT=1)
        assert Client().get("/metrics").status_code == 401

    def test_with_a_token_who_sends_it(self, environment):
        environment(METRICS_TOKEN=TOKEN)
        far = Client(REMOTE_ADDR="192.0.2.1")
        assert far.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        for wrong in ("", "Bearer ", "Bearer x", "Bearer tökén", f"Basic {TOKEN}"):
            assert far.get("/metrics", headers={"Authorization": wrong}).status_code == 401
        assert Client().get("/metrics").status_code == 401

    def test_staff_may_and_members_may_not(self, member):
        staff = make_user("staff@example.com")
        make_staff(staff, staff=True)
        for user, status in ((staff, 200), (member, 401)):
            client = Client(REMOTE_ADDR="192.0.2.1")
            client.force_login(user)
            assert client.get("/metrics").status_code == status

    def test_without_the_database_it_says_so(self, monkeypatch):
        def gone(_):
            raise DatabaseError("password")

        monkeypatch.setattr(views, "generate_latest", gone)
        answer = Client().get("/metrics")
        assert (answer.status_code, b"password" in answer.content) == (503, False)


def test_lookups_of_today_add_up(acme_project, umbrella_project):
    today = datetime.now(UTC).date()
    for project, day, hits in (
        (acme_project, today, 2),
        (umbrella_project, today, 3),
        (acme_project, date(2020, 1, 1), 9),
    ):
        SourceDay.objects.create(project=project, source_id="s", day=day, hits=hits, failures=1)
    assert value("symbolsvc_source_answers_today", outcome="hits") == 5
    assert value("symbolsvc_source_answers_today", outcome="failures") == 2


COUNTING = """
import os, sys
sys.path.insert(0, {base!r})
from core.metrics.declared import processed, process_seconds
for _ in range(3):
    if os.fork() == 0:
        processed.labels("done").inc()
        process_seconds.observe(1.0)
        os._exit(0)
    os.wait()
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
registry = CollectorRegistry()
MultiProcessCollector(registry, path=os.environ["PROMETHEUS_MULTIPROC_DIR"])
print(generate_latest(registry).decode())
"""


def test_processes_count_together_also_those_that_ended(tmp_path):
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    code = COUNTING.format(base=str(Path(BASE_DIR)))
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    assert 'symbolsvc_crashes_processed_total{outcome="done"} 3.0' in ran.stdout
    assert "symbolsvc_crash_process_seconds_count 3.0" in ran.stdout


def test_counting_a_request_costs_next_to_nothing():
    request = RequestFactory().get("/livez")
    request.resolver_match = None
    counted = MetricsMiddleware(lambda _: type("Answer", (), {"status_code": 200})())
    began = time.process_time()
    for _ in range(2000):
        counted(request)
    # Some ten microseconds; the bound is for busy machines.
    assert (time.process_time() - began) / 2000 < 0.0002


def test_lookups_count_by_answer_and_what_was_known_apart():
    record = TryRecord("a", Outcome.NOT_FOUND, fetched_at=time.time())
    tried = SourceTries(SimpleNamespace(id="s", config=object()), (SimpleNamespace(record=record),), None)
    before = value("symbolsvc_lookups_total", answer="not_found"), value("symbolsvc_lookups_total", answer="known")
    for _ in range(3):
        note(1, f"module {before}", [tried])
    after = value("symbolsvc_lookups_total", answer="not_found"), value("symbolsvc_lookups_total", answer="known")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 2)
