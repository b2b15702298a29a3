"""Sources that lie on the web: fetched through the guarded door, remembered, and kept apart."""

from __future__ import annotations

import time

import pytest

from engine.lookup.links import LinkDoor
from engine.lookup.model import Features, ModuleStatus, SourceAnswer, SymcacheAnswer
from engine.outgoing import Trust
from engine.run import Engine, Gate
from engine.run.sourced import Sourced
from tests.engine.run.serving import PLAIN, ask, frames, http_source
from tests.engine.run.sources import bundle, request, rows, serve_bundle, source_path, text
from tests.engine.webserver import LOOPBACK, reply, web_server


@pytest.fixture
def scope(request):
    return request.node.name


@pytest.fixture
def code_host():
    """Where the links lead."""
    with web_server() as made:
        yield made


@pytest.fixture
def path(engine, server, ledger, source, code_host):
    """The path of the library's source file, which its bundle knows on the web alone."""
    found = source_path(engine, ledger, source, "paths")
    folder, _, name = found.rpartition("/")
    serve_bundle(server, ledger, bundle({}, {f"{folder}/*": f"{code_host.url}/raw/*"}))
    code_host.routes[f"/raw/{name}"] = reply(body=text("linked"))
    return found


@pytest.fixture
def link(path, code_host):
    return f"{code_host.url}/raw/{path.rpartition('/')[2]}"


def look(engine, ledger, source, scope, *, trust=LOOPBACK, **fields):
    return ask(engine, request(ledger, PLAIN, candidates=True, **fields), [source], scope=scope, trust=trust)


def link_rows(answer):
    return [row for row in answer["modules"][0]["candidates"] if row["source"] == "sourcelink"]


def test_a_link_is_followed_and_told(engine, ledger, source, scope, link):
    answer = look(engine, ledger, source, scope)

    [frame] = frames(answer)
    assert frame["context_line"] == f"linked {frame['lineno']}"
    assert frame["source_link"] == link
    assert list(frame)[-2:] == ["post_context", "source_link"]
    [row] = link_rows(answer)
    assert (row["location"], row["download"]["status"]) == (link, "ok")
    assert "debug" not in row
    assert answer["modules"][0]["features"]["has_sources"]


def test_a_second_request_tells_the_same_and_asks_nobody(engine, ledger, source, scope, link, code_host, server):
    first = look(engine, ledger, source, scope)
    asked = len(code_host.asked), len(server.asked)

    assert look(engine, ledger, source, scope) == first
    assert look(Engine(engine.store, Gate()), ledger, source, scope) == first
    assert (len(code_host.asked), len(server.asked)) == asked == (1, asked[1])


def test_links_are_shown_on_demand_only(engine, ledger, source, scope, link):
    answer = ask(engine, request(ledger, PLAIN), [source], scope=scope, trust=LOOPBACK)

    assert frames(answer)[0]["source_link"] == link
    assert "candidates" not in answer["modules"][0]


def test_what_is_in_the_bundle_is_not_fetched(engine, server, ledger, source, scope, path, link, code_host):
    serve_bundle(server, ledger, bundle({path: text("embedded")}, {path: link}))

    answer = look(engine, ledger, source, scope)

    assert frames(answer)[0]["context_line"].startswith("embedded")
    assert frames(answer)[0]["source_link"] == link
    assert (code_host.asked, link_rows(answer)) == ([], [])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("404 Not Found", {"status": "notfound"}),
        ("403 Forbidden", {"status": "noperm", "details": "403 Forbidden"}),
        ("500 Oops", {"status": "error", "details": "download failed: 500 Oops"}),
    ],
)
def test_a_link_that_leads_nowhere_is_told_and_remembered(
    engine, ledger, source, scope, link, code_host, status, expected
):
    code_host.routes.clear()
    code_host.default = reply(status)

    answer = look(engine, ledger, source, scope)
    asked = len(code_host.asked)

    assert (frames(answer)[0]["source_link"], "context_line" in frames(answer)[0]) == (link, False)
    assert [row["download"] for row in link_rows(answer)] == [expected]
    assert look(Engine(engine.store, Gate()), ledger, source, scope) == answer
    assert len(code_host.asked) == asked


def test_a_restricted_destination_is_not_connected(engine, ledger, source, scope, link, code_host):
    answer = look(engine, ledger, source, scope, trust=Trust.NONE)

    assert code_host.asked == []
    assert [row["download"] for row in link_rows(answer)] == [
        {"status": "error", "details": "download failed: destination is restricted"}
    ]
    # Whoever may go there does, in the same process.
    assert "context_line" in frames(look(engine, ledger, source, scope))[0]
    assert "context_line" not in frames(look(engine, ledger, source, scope, trust=Trust.NONE))[0]


def scraping(*origins, enabled=True, **headers):
    return {"enabled": enabled, "allowed_origins": list(origins), "headers": headers}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (scraping("*", X_Key="secret"), "secret"),
        (scraping("http://127.0.0.1", X_Key="secret"), "secret"),
        (scraping("https://127.0.0.1", X_Key="secret"), None),
        (scraping("elsewhere.example", X_Key="secret"), None),
        (scraping(X_Key="secret"), None),
        (scraping("*", enabled=False, X_Key="secret"), None),
        (None, None),
    ],
)
def test_headers_go_along_when_allowed_and_fetching_happens_anyway(
    engine, ledger, source, scope, link, code_host, given, sent
):
    look(engine, ledger, source, scope, scraping=given)

    [asked] = code_host.asked
    assert {name.lower(): value for name, value in asked.headers.items()}.get("x_key") == sent


def test_what_one_key_opens_is_not_shown_to_others(engine, ledger, source, scope, link, code_host, path):
    def guarded(asked, connection):
        allowed = any(value == "secret" for value in asked.headers.values())
        reply(body=text("private"))(asked, connection) if allowed else reply("404 Not Found")(asked, connection)

    code_host.routes = {f"/raw/{path.rpartition('/')[2]}": guarded}
    with_key = scraping("*", X_Key="secret")

    for given, shown in ((with_key, True), (None, False), (with_key, True), (scraping("*", X_Key="other"), False)):
        found = frames(look(engine, ledger, source, scope, scraping=given))[0]
        assert ("context_line" in found) is shown
        again = frames(look(Engine(engine.store, Gate()), ledger, source, scope, scraping=given))[0]
        assert ("context_line" in again) is shown


def test_what_one_scope_fetched_is_fetched_anew_for_another(engine, ledger, source, scope, link, code_host):
    look(engine, ledger, source, scope)
    look(engine, ledger, source, f"{scope} 2")
    look(engine, ledger, http_source_of(source), scope)

    assert len(code_host.asked) == 3


def http_source_of(source):
    """The same server for another organization."""

    class Server:
        url = source._base.show("").rstrip("/")

    return http_source(Server, owner="umbrella")


def test_a_changed_file_on_disk_is_fetched_again(engine, ledger, source, scope, link, code_host):
    look(engine, ledger, source, scope)
    for file in engine.store.cache_dir.glob("sourcefiles/**/*"):
        if file.is_file() and file.read_bytes().startswith(b"linked"):
            file.write_bytes(file.read_bytes().replace(b"linked", b"forged"))

    [frame] = frames(look(Engine(engine.store, Gate()), ledger, source, scope))

    assert frame["context_line"].startswith("linked")


NAMES = SymcacheAnswer(ModuleStatus.FOUND, None, "5ca1e", "x86_64", Features(), (), 0.0)


def test_a_link_that_failed_is_followed_again_when_that_is_due():
    class Linking:
        linked, identity = True, "b00c"

    sourced, now = Sourced(NAMES, SourceAnswer(None, (), 0.0)), time.time()
    door, other = LinkDoor(), LinkDoor(Trust.ALL)
    table = sourced.table(Linking, door, now)
    sourced.limit(door, now + 60)

    assert sourced.table(Linking, door, now + 59) == table
    assert sourced.table(Linking, door, now + 61) != table
    assert len({table, sourced.table(Linking, other, now), sourced.table(Linking, door, now + 61)}) == 3


def test_a_file_alone_decides_what_it_embeds():
    class Embedding:
        linked, identity = False, "b00c"

    tables = {
        Sourced(NAMES, SourceAnswer(None, (), 0.0)).table(Embedding, door, 0.0)
        for door in (LinkDoor(), LinkDoor(Trust.ALL))
    }
    assert len(tables) == 1


def test_headers_are_not_in_the_text_of_a_door():
    assert "secret" not in repr(LinkDoor(headers=(("X-Key", "secret"),)))


def test_rows_of_links_stand_among_the_others(engine, ledger, source, scope, link):
    listed = look(engine, ledger, source, scope)["modules"][0]["candidates"]

    assert [(row["source"], row["location"]) for row in listed] == sorted(
        (row["source"], row["location"]) for row in listed
    )
    assert len(rows({"modules": [{"candidates": listed}]})) == len(listed)
