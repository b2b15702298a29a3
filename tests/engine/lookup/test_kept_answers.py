"""Answers that a fresh process takes from one record, and everything that must not be taken from there."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

import pytest

from engine.caches import Selection, purge, usage
from engine.lookup import ModuleStatus, Store, find_cficache, find_sources, recall_sources, recall_symcache
from engine.outgoing import Deadline
from tests.engine.lookup.conftest import LEDGER, LEDGER_PATH, look, make_source
from tests.engine.webserver import reply

ABSENT = replace(LEDGER, code_id="00" * 20)


def answers(store):
    return sorted(store.cache_dir.glob("answers/*/*/*.json"))


def without_times(answer):
    """An answer is believed a little longer each time that it is given."""
    return replace(answer, valid_until=0.0)


def forget_tries(store):
    """From now on only whole answers are known."""
    for path in store.cache_dir.glob("objects/*/*/*.json"):
        path.unlink()


def fresh(store):
    return Store(store.cache_dir)


def rules(store, sources):
    return find_cficache(LEDGER, sources, scope="p1", store=store, deadline=Deadline.after(60))


def sources_of(store, sources):
    return find_sources(LEDGER, sources, scope="p1", store=store, deadline=Deadline.after(60))


@pytest.mark.parametrize("ask", [look, rules, sources_of])
def test_a_fresh_process_answers_the_same_from_one_record(server, store, ask):
    source = make_source(server.url)
    first = ask(store, [source])
    asked = len(server.asked)
    forget_tries(store)

    again = ask(fresh(store), [source])

    assert without_times(again) == without_times(first)
    assert [row.record for row in again.candidates] == [row.record for row in first.candidates]
    assert len(server.asked) == asked


def test_that_nothing_is_there_is_believed_until_the_first_try_is_worth_repeating(server, store):
    source = make_source(server.url)
    first = look(store, [source], ABSENT)
    [record] = answers(store)
    content = json.loads(record.read_text())
    assert content["facts"]["expires"] == min(row.record.expires_at for row in first.candidates)
    assert look(fresh(store), [source], ABSENT).valid_until <= time.time() + 600

    content["facts"]["expires"] = time.time() - 1
    record.write_text(json.dumps(content))
    forget_tries(store)
    asked = len(server.asked)
    look(fresh(store), [source], ABSENT)

    assert len(server.asked) == 2 * asked


@pytest.mark.parametrize("selection", [{}, {"sources": ["other"]}, {"module": str(LEDGER.debug_id)}])
def test_a_purge_of_any_of_its_sources_is_one_of_the_answer(server, store, selection):
    sources = [make_source(server.url), make_source(server.url, id="other", headers={"a": "b"})]
    look(store, sources)
    process = fresh(store)
    assert recall_symcache(LEDGER, sources, scope="p1", store=process, deadline=Deadline.after(9)) is not None

    purge(store.cache_dir, Selection.of(**selection))

    assert recall_symcache(LEDGER, sources, scope="p1", store=process, deadline=Deadline.after(9)) is None
    assert not answers(store)


def test_a_purge_of_something_else_leaves_it(server, store):
    source = make_source(server.url)
    look(store, [source])

    purge(store.cache_dir, Selection.of(sources=["other"]))

    assert usage(store.cache_dir, Selection())["answers"].bytes > 0
    assert recall_symcache(LEDGER, [source], scope="p1", store=fresh(store), deadline=Deadline.after(9)) is not None


@pytest.mark.parametrize(
    "change",
    [{"owner": "umbrella"}, {"headers": {"Authorization": "Bearer other"}}, {"filters": {"filetypes": ["pdb"]}}],
    ids=lambda change: next(iter(change)),
)
def test_another_owner_or_configuration_has_another_answer(server, store, change):
    look(store, [make_source(server.url)])

    other = recall_symcache(
        LEDGER, [make_source(server.url, **change)], scope="p1", store=store, deadline=Deadline.after(9)
    )

    assert other is None


def test_another_scope_or_module_has_another_answer(server, store):
    source = make_source(server.url)
    look(store, [source])

    for wanted, scope in ((LEDGER, "p2"), (replace(LEDGER, debug_checksum="SHA256:00"), "p1"), (ABSENT, "p1")):
        assert recall_symcache(wanted, [source], scope=scope, store=store, deadline=Deadline.after(9)) is None


def test_what_rests_on_a_passing_failure_is_not_kept(server, store):
    """Addresses that are not allowed say nothing about files."""
    refused = make_source(server.url, trust=type(make_source(server.url)._opening.trust).NONE)
    assert look(store, [refused]).status is ModuleStatus.FETCHING_FAILED

    assert not answers(store)


def test_a_failure_of_our_own_is_not_kept(server, store, monkeypatch):
    def fail(*_):
        raise OSError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("engine.lookup.objects.AT_ONCE_BYTES", 0)
        patch.setattr("engine.lookup.derived.publish", fail)
        assert look(store, [make_source(server.url)]).status is ModuleStatus.OTHER

    assert not answers(store)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"facts":{"status":"found"}}', b"\xff"])
def test_a_damaged_record_is_made_anew(server, store, content):
    source = make_source(server.url)
    first = look(store, [source])
    [record] = answers(store)
    record.write_bytes(content)

    assert look(fresh(store), [source]).identity == first.identity
    assert len(record.read_bytes()) > 100


def test_an_answer_whose_file_is_gone_leads_to_a_new_file(server, store):
    source = make_source(server.url)
    first = look(store, [source])
    first.path.unlink()

    assert recall_symcache(LEDGER, [source], scope="p1", store=store, deadline=Deadline.after(9)) is None
    assert look(store, [source]).path.exists()
    assert server.paths.count(LEDGER_PATH) == 1


@pytest.mark.parametrize("age", [120, 86_400])
def test_using_an_answer_keeps_alive_what_it_rests_on(server, store, age):
    """However small the cache is and however much comes in meanwhile."""
    source = make_source(server.url)
    look(store, [source])
    old = time.time() - age
    [found] = [path for path in store.cache_dir.glob("objects/*/*/*") if not path.suffix]
    record = found.with_name(f"{found.name}.json")
    for path in (record, *answers(store)):
        os.utime(path, (old, old))

    look(fresh(store), [source])

    assert record.stat().st_mtime > old + age / 2
    assert answers(store)[0].stat().st_mtime > old + age / 2


def test_using_what_was_made_does_not_have_it_verified_again(server, store):
    source = make_source(server.url)
    made = look(store, [source]).path
    old = time.time() - 3600
    for path in (made, made.with_name(f"{made.name}.json")):
        os.utime(path, (old, old))
    look(fresh(store), [source])
    assert made.stat().st_mtime == pytest.approx(old)
    assert made.with_name(f"{made.name}.json").stat().st_mtime > old + 1800


def test_that_there_are_no_sources_is_known_without_asking(server, store):
    source = make_source(server.url)
    server.default = reply("404 Not Found")
    first = sources_of(store, [source])

    again = recall_sources(LEDGER, [source], scope="p1", store=fresh(store), deadline=Deadline.after(9))

    assert again is not None
    assert without_times(again) == without_times(first)
