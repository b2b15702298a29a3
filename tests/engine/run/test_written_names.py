"""Names and lines as people wrote them: BCSymbolMaps behind UUID maps, IL2CPP mappings, and where sources are kept."""

from __future__ import annotations

import json
import plistlib
from uuid import UUID

import pytest

from engine.run import Engine, Gate
from tests.engine.run.serving import PLAIN, ask, frames, http_source
from tests.engine.run.sources import request, rows, source_path
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import reply

BASE = 0x100000
HIDDEN, ORIGINAL = UUID("c0bcc3f1-9827-fe65-3058-404b2831d9e6"), UUID("2d10c42f-591d-3265-b147-78ba0868073f")
TEXT = f"""MODULE mac x86_64 {HIDDEN.hex.upper()}0 demo
FILE 0 __hidden#2_/__hidden#3_
FILE 1 /src/open.m
FUNC 1000 100 0 __hidden#0_
1000 100 10 0
FUNC 1100 40 0 visible
1100 40 20 1
FUNC 1200 40 0 __hidden#1_
1200 40 30 1
FUNC 1300 40 0 __hidden#9_
1300 40 30 1
"""
NAMES = ["-[Message init:]", "__ZN3app4mainEv", "/Users/dev", "Message.m"]
BCSYMBOLMAP = "BCSymbolMap Version: 2.0\n" + "".join(f"{name}\n" for name in NAMES)


@pytest.fixture
def scope(request):
    return request.node.name


def unified(identity, name):
    return f"/{identity.hex[:2]}/{identity.hex[2:]}/{name}"


@pytest.fixture
def hidden(server):
    """A Mach-O module whose debug file hides names, with the maps for it."""
    server.routes[unified(HIDDEN, "breakpad")] = reply(body=TEXT.encode())
    server.routes[unified(HIDDEN, "uuidmap")] = reply(body=plistlib.dumps({"DBGOriginalUUID": str(ORIGINAL).upper()}))
    server.routes[unified(ORIGINAL, "bcsymbolmap")] = reply(body=BCSYMBOLMAP.encode())
    return {
        "type": "macho",
        "debug_id": str(HIDDEN),
        "debug_file": "demo",
        "code_file": "/opt/demo",
        "image_addr": BASE,
    }


def look(engine, sources, module, *offsets, scope):
    given = [{"instruction_addr": BASE + offset, "adjust_instruction_addr": False} for offset in offsets]
    return ask(engine, {"stacktraces": [{"frames": given}], "modules": [module]}, sources, scope=scope)


def unified_source(server, **fields):
    return http_source(server, id="unified", layout={"type": "unified"}, **fields)


def names(answer):
    return [(frame["symbol"], frame["function"], frame["abs_path"], frame["filename"]) for frame in frames(answer)]


def test_hidden_names_and_paths_are_revealed(engine, server, hidden, scope):
    answer = look(engine, [unified_source(server)], hidden, 0x1000, 0x1100, 0x1200, 0x1300, scope=scope)

    assert names(answer) == [
        ("-[Message init:]", "-[Message init:]", "/Users/dev/Message.m", "Message.m"),
        ("visible", "visible", "/src/open.m", "open.m"),
        ("__ZN3app4mainEv", "app::main()", "/src/open.m", "open.m"),
        ("__hidden#9_", "__hidden#9_", "/src/open.m", "open.m"),
    ]


def test_the_maps_may_lie_with_another_source(engine, server, hidden, scope):
    elsewhere = http_source(server, filters={"filetypes": ["uuidmap", "bcsymbolmap"]}, layout={"type": "unified"})
    symbols = unified_source(server, filters={"filetypes": ["breakpad"]})

    assert names(look(engine, [symbols, elsewhere], hidden, 0x1000, scope=scope))[0][0] == "-[Message init:]"


def test_maps_are_remembered_like_any_file(engine, server, hidden, scope):
    first = look(engine, [unified_source(server)], hidden, 0x1000, scope=scope)
    asked = len(server.asked)

    assert look(Engine(engine.store, Gate()), [unified_source(server)], hidden, 0x1000, scope=scope) == first
    assert look(engine, [unified_source(server)], hidden, 0x1000, scope=scope) == first
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("uuidmap", reply("404 Not Found")),
        ("uuidmap", reply(body=b"no property list")),
        ("bcsymbolmap", reply("404 Not Found")),
        ("bcsymbolmap", reply(body=b"no map")),
    ],
)
def test_without_a_usable_map_names_stay_hidden(engine, server, hidden, scope, name, answer):
    server.routes[unified(HIDDEN if name == "uuidmap" else ORIGINAL, name)] = answer

    found = look(engine, [unified_source(server)], hidden, 0x1000, scope=scope)

    assert found["modules"][0]["debug_status"] == "found"
    assert names(found)[0][0] == "__hidden#0_"


def test_one_debug_file_with_and_without_its_map_is_not_mixed_up(engine, server, hidden, scope):
    with_map, without = unified_source(server), unified_source(server, filters={"filetypes": ["breakpad"]})

    for source, name in ((with_map, "-[Message init:]"), (without, "__hidden#0_"), (with_map, "-[Message init:]")):
        assert names(look(engine, [source], hidden, 0x1000, scope=scope))[0][0] == name


def test_nobody_is_asked_for_a_map_that_is_not_needed(engine, server, hidden, scope):
    plain = TEXT.replace("__hidden#", "shown_")
    server.routes[unified(HIDDEN, "breakpad")] = reply(body=plain.encode())

    look(engine, [unified_source(server)], hidden, 0x1000, scope=scope)

    assert unified(HIDDEN, "uuidmap") not in server.paths


def test_generated_code_is_answered_by_its_origin(engine, server, ledger, source, scope):
    path = source_path(engine, ledger, source, "paths")
    [before] = frames(ask(engine, request(ledger, PLAIN), [source], scope=f"{scope} before"))
    mapping = {"__debug-id__": "x", path: {"Assets/Player.cs": {str(before["lineno"] - 2): 12}}}
    server.routes[f"/{ledger.code_id[:2]}/{ledger.code_id[2:]}/il2cpp"] = reply(body=json.dumps(mapping).encode())

    [frame] = frames(ask(engine, request(ledger, PLAIN), [source, unified_source(server)], scope=scope))

    assert (frame["abs_path"], frame["filename"], frame["lineno"]) == ("Assets/Player.cs", "Player.cs", 12)
    assert frame["function"] == before["function"]
    # The same build without the mapping stays what it is.
    again = frames(ask(engine, request(ledger, PLAIN), [source], scope=f"{scope} before"))
    assert again == [before]


def test_a_broken_mapping_changes_nothing(engine, server, ledger, source, scope):
    server.routes[f"/{ledger.code_id[:2]}/{ledger.code_id[2:]}/il2cpp"] = reply(body=b"{not json")

    answer = ask(engine, request(ledger, PLAIN), [source, unified_source(server)], scope=scope)

    assert frames(answer)[0]["filename"] == "ledger.cpp"


def test_a_mapping_that_vanished_is_fetched_again(engine, server, hidden, scope):
    look(engine, [unified_source(server)], hidden, 0x1000, scope=scope)
    engine.renamings = type(engine.renamings)()
    for file in engine.store.cache_dir.glob("auxiliary/**/*"):
        if file.is_file() and file.suffix != ".json":
            file.unlink()

    found = names(look(engine, [unified_source(server)], hidden, 0x1000, 0x1200, scope=scope))

    assert [row[1] for row in found] == ["-[Message init:]", "app::main()"]


@pytest.mark.parametrize(("name", "expected"), [("crash_with_srcsrv.pdb", "perforce"), ("crash.pdb", None)])
def test_where_the_sources_of_a_pdb_are_kept_is_told(engine, server, scope, name, expected):
    data = shared(f"fixtures/peers/symbolic/windows/{name}").read_bytes()
    known = "3249D99D0C4049318610F4E4FB0B69361"
    server.routes[f"/crash.pdb/{known}/crash.pdb"] = reply(body=data)
    module = {"type": "pe", "debug_id": known, "debug_file": "crash.pdb", "image_addr": BASE}
    asked = {
        "stacktraces": [{"frames": [{"instruction_addr": BASE + 0x2D96}]}],
        "modules": [module],
        "options": {"dif_candidates": True},
    }

    for made in (engine, Engine(engine.store, Gate())):
        answer = ask(made, asked, [http_source(server)], scope=scope)
        assert answer["modules"][0]["features"].get("srcsrv_vcs") == expected
        assert rows(answer)["crash.pdb"]["download"]["features"].get("srcsrv_vcs") == expected
