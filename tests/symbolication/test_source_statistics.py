"""What came of asking sources is counted, and costs nothing where nothing was asked."""

from __future__ import annotations

import threading
import time

import pytest

from engine.lookup.diagnosis import Asked, SourceTries
from engine.lookup.model import Candidate, Download, DownloadStatus, Outcome, TryRecord
from engine.sourcetypes.config import HttpConfig
from sources import statistics
from sources.models import SourceDay
from sources.selectors import Place
from sources.statistics import counting, writing
from tests.engine.webserver import reply
from tests.symbolication.diagnosed import module_of, store

HTTP = {"type": "http", "name": "Ours", "layout": {"type": "native"}}


@pytest.fixture(autouse=True)
def _nothing_counted(db):
    counting._forget()
    yield
    counting._forget()


def row(*records: TryRecord, source: str = "ours") -> SourceTries:
    config = HttpConfig(id=source, url="https://example.com/")
    candidates = tuple(Candidate(source, "", Download(DownloadStatus.OK), record=record) for record in records)
    return SourceTries(Asked(source, source, config), candidates, None)


def tried(outcome: Outcome, details: str = "", ago: float = 0.0) -> TryRecord:
    return TryRecord("ab/cdef", outcome, fetched_at=time.time() - ago, details=details)


def counts(source: str = "ours"):
    statistics.flush()
    found = SourceDay.objects.filter(source_id=source)
    return [sum(values) for values in zip(*found.values_list("hits", "misses", "failures"), strict=True)]


class TestCounting:
    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            ([Outcome.NOT_FOUND, Outcome.FOUND, Outcome.NOT_FOUND], [1, 0, 0]),
            ([Outcome.NOT_FOUND, Outcome.WRONG_ID], [0, 1, 0]),
            ([Outcome.NOT_FOUND, Outcome.REFUSED], [0, 0, 1]),
            ([Outcome.TIMED_OUT, Outcome.FOUND], [1, 0, 0]),
        ],
        ids=["hit", "miss", "failure", "a file counts most"],
    )
    def test_a_module_counts_once_for_each_source(self, acme_project, records, expected):
        statistics.note(acme_project.pk, "module", [row(*map(tried, records))])
        assert counts() == expected

    def test_names_and_unwind_rules_of_a_module_are_one(self, acme_project):
        for _ in range(3):
            statistics.note(acme_project.pk, "module", [row(tried(Outcome.FOUND))])
        statistics.note(acme_project.pk, "another", [row(tried(Outcome.FOUND))])
        assert counts() == [2, 0, 0]

    def test_what_a_cache_answers_is_not_counted(self, acme_project):
        statistics.note(acme_project.pk, "module", [row(tried(Outcome.FOUND, ago=3600))])
        assert counts() == []

    def test_days_add_up_and_times_only_grow(self, acme_project):
        for number, outcome in enumerate((Outcome.FOUND, Outcome.REFUSED, Outcome.NOT_FOUND)):
            statistics.note(acme_project.pk, str(number), [row(tried(outcome, "download failed: 403 Forbidden"))])
            statistics.flush()
        state = statistics.states_of(Place(acme_project.organization, acme_project))["ours"]
        assert (state.hits, state.misses, state.failures) == (1, 1, 1)
        assert (state.failure, state.failing) == ("403 Forbidden.", False)
        assert state.succeeded_at > state.failed_at

    def test_projects_are_kept_apart_and_those_that_are_gone_left_out(self, acme_project, umbrella_project):
        statistics.note(acme_project.pk, "module", [row(tried(Outcome.FOUND))])
        statistics.note(umbrella_project.pk, "module", [row(tried(Outcome.NOT_FOUND))])
        statistics.note(999_999, "module", [row(tried(Outcome.FOUND))])
        assert statistics.flush() == 3
        assert set(SourceDay.objects.values_list("project", "hits")) == {(acme_project.pk, 1), (umbrella_project.pk, 0)}

    def test_days_long_past_are_dropped(self, acme_project):
        old = writing.timezone.now().date() - writing.timedelta(days=40)
        SourceDay.objects.create(project=acme_project, source_id="ours", day=old, hits=7)
        statistics.note(acme_project.pk, "module", [row(tried(Outcome.FOUND))])
        assert counts() == [1, 0, 0]

    def test_a_text_that_the_database_cannot_hold_is_bent(self, acme_project):
        statistics.note(acme_project.pk, "module", [row(tried(Outcome.REFUSED, "nul \0" + "x" * 2000))])
        assert counts() == [0, 0, 1]

    def test_a_database_that_is_away_disturbs_nobody(self, acme_project, monkeypatch, caplog):
        def away(tallies):
            raise OSError("away")

        monkeypatch.setattr(writing, "_write", away)
        statistics.note(acme_project.pk, "module", [row(tried(Outcome.FOUND))])
        assert statistics.flush() == 0
        assert "could not be written down" in caplog.text

    def test_writing_is_called_for_once_until_it_is_done(self, acme_project):
        called = []
        counting.on_begin(lambda: called.append(1))
        try:
            for number in range(5):
                statistics.note(acme_project.pk, str(number), [row(tried(Outcome.FOUND))])
            assert len(called) == 1
            statistics.flush()
            statistics.note(acme_project.pk, "after", [row(tried(Outcome.FOUND))])
            assert len(called) == 2
        finally:
            counting.on_begin(lambda: None)

    def test_threads_lose_nothing(self, acme_project):
        def work(name):
            for number in range(50):
                statistics.note(acme_project.pk, f"{name} {number}", [row(tried(Outcome.FOUND))])

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts() == [200, 0, 0]


class TestLookups:
    def test_a_symbolication_counts_what_its_sources_said(self, environment, api, acme_project, symbol_server, server):
        server.default = reply("403 Forbidden")
        store(api, HTTP | {"id": "has", "url": symbol_server.url}, HTTP | {"id": "refuses", "url": server.url})
        module_of(api)
        assert counts("has") == [1, 0, 0]
        assert counts("refuses") == [0, 0, 1]
        assert "403" in SourceDay.objects.get(source_id="refuses").failure

    def test_a_warm_request_counts_nothing(self, environment, api, acme_project, symbol_server):
        store(api, HTTP | {"id": "has", "url": symbol_server.url})
        module_of(api)
        statistics.flush()
        for _ in range(3):
            module_of(api)
        assert statistics.flush() == 0

    def test_a_source_that_is_switched_off_is_not_asked_and_the_diagnosis_says_so(
        self, environment, api, acme_project, symbol_server
    ):
        from projects.access import SYSTEM
        from sources.services import switch_source

        store(api, HTTP | {"id": "has", "url": symbol_server.url})
        place = Place(acme_project.organization, acme_project)
        switch_source(place=place, source_id="has", enabled=False, actor=SYSTEM)
        found = module_of(api)["diagnosis"]
        assert found["verdict"] == "source_disabled"
        assert found["sources"][0]["note"] == "Left out: it is switched off."
        assert symbol_server.asked == []
