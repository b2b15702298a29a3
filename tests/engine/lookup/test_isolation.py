"""Nobody reads files that another's credentials fetched, and nobody plants files for others."""

from __future__ import annotations

import pytest

from engine.lookup import ModuleStatus
from tests.engine.lookup.conftest import LEDGER_PATH, look, make_source
from tests.engine.webserver import reply, web_server


@pytest.fixture
def guarded(server, ledger):
    """A server that wants a key."""

    def act(asked, connection):
        allowed = asked.headers.get("authorization") == "Bearer acme"
        (reply(body=ledger) if allowed else reply("403 Forbidden"))(asked, connection)

    server.routes[LEDGER_PATH] = act
    return server


def test_another_organization_with_the_same_source_and_other_credentials_sees_nothing(guarded, store):
    ours = make_source(guarded.url, headers={"Authorization": "Bearer acme"})
    theirs = make_source(guarded.url, owner="umbrella", headers={"Authorization": "Bearer umbrella"})

    assert look(store, [ours]).status is ModuleStatus.FOUND
    assert look(store, [theirs]).status is ModuleStatus.FETCHING_FAILED
    assert look(store, [ours]).status is ModuleStatus.FOUND


def test_the_very_same_configuration_of_another_organization_is_asked_anew(guarded, store):
    fields = {"headers": {"Authorization": "Bearer acme"}}
    look(store, [make_source(guarded.url, **fields)])
    asked = len(guarded.asked)

    look(store, [make_source(guarded.url, owner="umbrella", **fields)])

    assert len(guarded.asked) == 2 * asked


def test_marking_a_source_public_shares_nothing_unless_it_is_the_operators(guarded, store):
    ours = make_source(guarded.url, headers={"Authorization": "Bearer acme"}, is_public=True)
    theirs = make_source(guarded.url, owner="umbrella", is_public=True)

    assert look(store, [ours]).status is ModuleStatus.FOUND
    assert look(store, [theirs]).status is ModuleStatus.FETCHING_FAILED
    assert look(store, [ours], scope="p2").status is ModuleStatus.FOUND
    assert guarded.paths.count(LEDGER_PATH) == 3


def test_an_operators_public_source_is_fetched_once_for_all_scopes(server, store):
    source = make_source(server.url, owner="builtin", is_public=True)

    first, second = look(store, [source], scope="p1"), look(store, [source], scope="p2")

    assert first.path == second.path
    assert server.paths.count(LEDGER_PATH) == 1


def test_scopes_are_apart_otherwise(server, store):
    source = make_source(server.url)

    first, second = look(store, [source], scope="p1"), look(store, [source], scope="p2")

    assert first.path != second.path
    assert server.paths.count(LEDGER_PATH) == 2


def test_an_endpoint_of_ones_own_under_the_same_id_plants_nothing(server, store, ledger):
    with web_server() as evil:
        evil.default = reply(body=b"planted")
        look(store, [make_source(evil.url, owner="umbrella")])
        look(store, [make_source(evil.url)])

    assert look(store, [make_source(server.url)]).status is ModuleStatus.FOUND


def test_a_source_that_is_taken_away_takes_its_files_along(server, store):
    assert look(store, [make_source(server.url)]).status is ModuleStatus.FOUND
    with web_server() as other:
        answer = look(store, [make_source(other.url, id="other")])

    assert answer.status is ModuleStatus.MISSING
    assert {row.source for row in answer.candidates} == {"other"}


def test_no_secret_is_written_to_the_cache_or_shown(guarded, store):
    source = make_source(guarded.url + "?sig=canary-7", headers={"Authorization": "Bearer acme", "X": "canary-7"})

    answer = look(store, [source])

    assert "canary-7" not in repr(answer)
    for path in store.cache_dir.rglob("*"):
        assert "canary-7" not in path.name
        assert not path.is_file() or b"canary-7" not in path.read_bytes()
