"""The lines around symbolicated frames: where they come from, when they are looked for, and whose they are."""

from __future__ import annotations

import logging

import pytest

from engine.native.contexts import Contexts
from engine.run import Engine, Gate
from tests.engine.run.serving import BASE, INLINED, NOTHING, PLAIN, ask, frames, http_source
from tests.engine.run.sources import bundle, bundle_path, request, rows, serve_bundle, source_path, text
from tests.engine.webserver import hang, reply, web_server

CONTEXT = ("pre_context", "context_line", "post_context")


def context(frame):
    return {name: frame[name] for name in CONTEXT if name in frame}


def lines_around(number, tag="line"):
    return {
        "pre_context": [f"{tag} {at}" for at in range(number - 5, number)],
        "context_line": f"{tag} {number}",
        "post_context": [f"{tag} {at}" for at in range(number + 1, number + 6)],
    }


@pytest.fixture
def scope(request):
    """A scope of the test's own, since the store is shared."""
    return request.node.name


@pytest.fixture
def path(engine, ledger, source):
    return source_path(engine, ledger, source, "paths")


def test_every_frame_shows_the_lines_around_its_own(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))

    found = frames(ask(engine, request(ledger, PLAIN, INLINED), [source], scope=scope))

    assert len(found) == 5
    assert [context(frame) for frame in found] == [lines_around(frame["lineno"]) for frame in found]
    assert list(found[0])[-4:] == ["lineno", *CONTEXT]


def test_context_comes_before_trust(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))
    asked = request(ledger, PLAIN)
    asked["stacktraces"][0]["frames"][0]["trust"] = "cfi"

    [frame] = frames(ask(engine, asked, [source], scope=scope))

    assert list(frame)[-2:] == ["post_context", "trust"]


def test_long_lines_are_cut_and_lists_end_with_the_file(engine, server, ledger, source, path, scope):
    number = frames(ask(engine, request(ledger, PLAIN), [source], scope="paths"))[0]["lineno"]
    lines = [b"x" * 151] * number
    serve_bundle(server, ledger, bundle({path: b"\n".join(lines)}))

    [frame] = frames(ask(engine, request(ledger, PLAIN), [source], scope=scope))

    assert frame["context_line"] == "x" * 140 + " {snip}"
    assert "post_context" not in frame


def test_a_line_beyond_the_file_has_no_context(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: b"one line"}))

    [frame] = frames(ask(engine, request(ledger, PLAIN), [source], scope=scope))

    assert (frame["status"], context(frame)) == ("symbolicated", {})


def test_paths_are_compared_as_they_are(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path.upper(): text(), path.rpartition("/")[2]: text()}))

    answer = ask(engine, request(ledger, PLAIN), [source], scope=scope)

    assert context(frames(answer)[0]) == {}
    assert answer["modules"][0]["features"]["has_sources"]


def test_the_bundle_is_among_the_candidates_and_features(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))

    answer = ask(engine, request(ledger, PLAIN, candidates=True), [source], scope=scope)

    row = rows(answer)[bundle_path(ledger).rpartition("/")[2]]
    assert "debug" not in row
    assert row["download"]["status"] == "ok"
    assert row["download"]["features"]["has_sources"]
    assert answer["modules"][0]["features"]["has_sources"]
    listed = [(row["source"], row["location"]) for row in answer["modules"][0]["candidates"]]
    assert listed == sorted(set(listed))


def test_a_source_that_offers_no_file_with_sources_says_so_beside_what_it_has(engine, server, ledger, scope):
    code_only = http_source(server, filters={"filetypes": ["elf_code"]})

    answer = ask(engine, request(ledger, PLAIN, candidates=True), [code_only], scope=scope)

    assert answer["modules"][0]["debug_status"] == "found"
    assert rows(answer).keys() == {ledger.code_id[2:], "No object files listed on this source"}


def test_without_being_asked_for_no_sources_are_looked_for(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))
    asked = request(ledger, PLAIN, candidates=True, options={"apply_source_context": False})

    answer = ask(engine, asked, [source], scope=scope)

    assert context(frames(answer)[0]) == {}
    assert not answer["modules"][0]["features"]["has_sources"]
    assert bundle_path(ledger) not in server.paths
    assert bundle_path(ledger).rpartition("/")[2] not in rows(answer)


def test_modules_without_a_symbolicated_frame_are_not_asked_about(engine, server, ledger, source, scope):
    answer = ask(engine, request(ledger, NOTHING, candidates=True), [source], scope=scope)

    assert frames(answer)[0]["status"] == "missing_symbol"
    assert bundle_path(ledger) not in server.paths
    # Nor do they show what is known from others' requests.
    serve_bundle(server, ledger, bundle({"/a": b"a"}))
    ask(engine, request(ledger, PLAIN), [source], scope=scope)
    again = ask(engine, request(ledger, NOTHING, candidates=True), [source], scope=scope)
    assert again["modules"] == answer["modules"]


def test_a_second_request_asks_nobody_and_looks_nothing_up(engine, server, ledger, source, path, scope, monkeypatch):
    serve_bundle(server, ledger, bundle({path: text()}))
    first = ask(engine, request(ledger, PLAIN, INLINED), [source], scope=scope)
    asked = len(server.asked)
    monkeypatch.setattr(engine.symcaches, "get", None)
    monkeypatch.setattr(engine.contexts, "annotate", None)

    second = ask(engine, request(ledger, PLAIN, INLINED, base=BASE + 0x5000), [source], scope=scope)

    assert len(server.asked) == asked
    assert [context(frame) for frame in frames(second)] == [context(frame) for frame in frames(first)]


def test_that_there_are_no_sources_is_remembered(engine, server, ledger, source, scope, monkeypatch):
    ask(engine, request(ledger, PLAIN), [source], scope=scope)
    asked = len(server.asked)
    monkeypatch.setattr("engine.run.resolved.find_sources", None)

    assert frames(ask(engine, request(ledger, PLAIN), [source], scope=scope))[0]["status"] == "symbolicated"
    assert len(server.asked) == asked


def test_a_file_is_unpacked_once_and_a_line_cut_once(engine, server, ledger, source, path, scope, monkeypatch):
    serve_bundle(server, ledger, bundle({path: text()}))
    ask(engine, request(ledger, PLAIN), [source], scope=scope)
    engine.fragments._young.clear()
    monkeypatch.setattr("engine.native.contexts._read", None)
    monkeypatch.setattr("engine.native.contexts.source_context", None)

    [frame] = frames(ask(engine, request(ledger, PLAIN), [source], scope=scope))

    assert context(frame) == lines_around(frame["lineno"])


def test_one_build_shows_to_everybody_the_sources_of_their_own_bundle(engine, server, ledger, source, path, scope):
    with web_server() as other:
        other.routes |= server.routes
        serve_bundle(server, ledger, bundle({path: text("mine")}))
        serve_bundle(other, ledger, bundle({path: text("theirs")}))
        for made, owner, tag in ((server, "acme", "mine"), (other, "umbrella", "theirs"), (server, "acme", "mine")):
            found = frames(ask(engine, request(ledger, PLAIN), [http_source(made, owner=owner)], scope=scope))
            assert context(found[0]) == lines_around(found[0]["lineno"], tag)


def test_the_first_source_that_has_sources_is_taken(engine, server, ledger, path, scope):
    with web_server() as first:
        serve_bundle(first, ledger, bundle({path: text("first")}))
        serve_bundle(server, ledger, bundle({path: text("second")}))
        sources = [http_source(first, id="z"), http_source(server, id="a")]
        [frame] = frames(ask(engine, request(ledger, PLAIN), sources, scope=scope))

    assert frame["context_line"].startswith("first")


@pytest.mark.parametrize("content", [b"SYSB\2\0\0\0 no archive", b"no bundle", bundle({"/a": b"a"})[:-30]])
def test_a_broken_bundle_costs_the_context_only(engine, server, ledger, source, scope, content):
    serve_bundle(server, ledger, content)

    answer = ask(engine, request(ledger, PLAIN), [source], scope=scope)

    assert (frames(answer)[0]["status"], answer["modules"][0]["debug_status"]) == ("symbolicated", "found")
    assert not answer["modules"][0]["features"]["has_sources"]


def test_a_bundle_that_vanishes_is_fetched_again_by_the_next_process(server, ledger, source, path, scope, store):
    serve_bundle(server, ledger, bundle({path: text()}))
    ask(Engine(store, Gate()), request(ledger, PLAIN), [source], scope=scope)
    for file in store.cache_dir.glob("objects/**/*"):
        if file.is_file() and file.read_bytes()[:4] == b"SYSB":
            file.unlink()

    [frame] = frames(ask(Engine(store, Gate()), request(ledger, PLAIN), [source], scope=scope))

    assert context(frame) == lines_around(frame["lineno"])


def test_a_bundle_that_vanishes_while_it_is_used_is_fetched_again(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))
    ask(engine, request(ledger, PLAIN), [source], scope=scope)
    engine.contexts = Contexts(engine.gate)
    for file in engine.store.cache_dir.glob("objects/**/*"):
        if file.is_file() and file.read_bytes()[:4] == b"SYSB":
            file.unlink()

    found = frames(ask(engine, request(ledger, PLAIN, INLINED), [source], scope=scope))

    assert [context(frame) for frame in found] == [lines_around(frame["lineno"]) for frame in found]


def test_a_bundle_that_is_gone_for_good_costs_the_context_only(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))
    ask(engine, request(ledger, PLAIN), [source], scope=scope)
    engine.contexts = Contexts(engine.gate)
    del server.routes[bundle_path(ledger)]
    for file in engine.store.cache_dir.glob("objects/**/*"):
        if file.is_file() and file.read_bytes()[:4] == b"SYSB":
            file.unlink()

    found = frames(ask(engine, request(ledger, PLAIN, INLINED), [source], scope=scope))

    assert [frame["status"] for frame in found] == ["symbolicated"] * 5
    assert [context(frame) for frame in found] == [{}] * 5


def test_a_source_that_did_not_answer_is_not_waited_for_once_more(
    engine, server, ledger, source, path, scope, monkeypatch
):
    monkeypatch.setattr("engine.outgoing.connections.HEADERS_SECONDS", 0.2)
    serve_bundle(server, ledger, bundle({path: text()}))
    with web_server() as silent:
        silent.default = hang
        dead = http_source(silent, id="dead", owner="silent")
        answer = ask(engine, request(ledger, PLAIN, candidates=True), [dead, source], scope=scope)
        asked = set(silent.paths)

    assert bundle_path(ledger) not in asked
    assert frames(answer)[0]["context_line"]
    found = {row["location"]: row["download"] for row in answer["modules"][0]["candidates"] if row["source"] == "dead"}
    assert found[f"{silent.url}{bundle_path(ledger)}"]["details"].startswith("download timed out")


def test_a_source_that_answered_for_one_place_is_asked_for_the_others(engine, server, ledger, path, scope, monkeypatch):
    monkeypatch.setattr("engine.outgoing.connections.HEADERS_SECONDS", 0.2)
    server.routes[f"/{ledger.code_id[:2]}/{ledger.code_id[2:]}.debug"] = hang
    serve_bundle(server, ledger, bundle({path: text()}))

    answer = ask(engine, request(ledger, PLAIN), [http_source(server, owner="half")], scope=scope)

    assert frames(answer)[0]["context_line"]


def test_trouble_with_sources_leaves_the_names(engine, ledger, source, scope, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("engine.run.resolved.find_sources", fail)
    with caplog.at_level(logging.ERROR, "engine"):
        answer = ask(engine, request(ledger, PLAIN), [source], scope=scope)

    assert frames(answer)[0]["status"] == "symbolicated"
    assert "the lookup of sources failed" in caplog.text


def test_in_reverse_order_and_with_more_said_frames_have_their_context_too(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))
    asked = request(ledger, INLINED, options={"frame_order": "caller_first"})
    asked["stacktraces"][0]["frames"][0] |= {"adjust_instruction_addr": True, "in_app": True}

    found = frames(ask(engine, asked, [source], scope=scope))

    assert len(found) == 4
    assert [context(frame) for frame in found] == [lines_around(frame["lineno"]) for frame in found]


def test_a_cache_limit_does_not_lose_a_frame(engine, server, ledger, source, path, scope):
    serve_bundle(server, ledger, bundle({path: text()}))
    engine.fragments._half = 1

    found = frames(ask(engine, request(ledger, PLAIN, INLINED), [source], scope=scope))

    assert [context(frame) for frame in found] == [lines_around(frame["lineno"]) for frame in found]


def test_a_bundle_is_found_in_the_unified_layout_too(engine, server, ledger, path, scope):
    """The unified layout names it by the module's id."""
    image = ledger
    server.routes[f"/{image.code_id[:2]}/{image.code_id[2:]}/sourcebundle"] = reply(body=bundle({path: text()}))
    unified = http_source(server, id="unified", layout={"type": "unified"})

    [frame] = frames(ask(engine, request(ledger, PLAIN), [http_source(server), unified], scope=scope))

    assert context(frame) == lines_around(frame["lineno"])
