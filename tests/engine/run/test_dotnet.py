"""Frames of .NET: by the number of their method and the offset into its code, from portable PDBs alone."""

from __future__ import annotations

import pytest

from engine.formats.portable_pdb import PortablePdb
from engine.native.managed import OpenPortablePdbs
from engine.run import Engine, Gate
from tests.engine.formats import builders
from tests.engine.formats.builders import DOCUMENT_TAG, MODULE_TAG, PortablePdbBuilder
from tests.engine.run.serving import ask, frames, http_source
from tests.engine.run.sources import text
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import LOOPBACK, reply, web_server

DOCUMENT = "/src/app/Program.cs"


def points():
    """IL 0 is line 10, IL 6 is line 7."""
    numbers = (builders.compressed(0), b"\0\x08", builders.compressed(10), builders.compressed(5))
    more = (builders.compressed(6), b"\0\x08", builders.compressed_signed(-3), builders.compressed_signed(-1))
    return b"".join([*numbers, *more])


@pytest.fixture
def scope(request):
    return request.node.name


@pytest.fixture
def builder():
    made = PortablePdbBuilder()
    made.method(made.document(DOCUMENT), points())
    return made


def serve(server, data, file_name="app.pdb"):
    """Serve a PDB where the native layout has it; the module as a report names it."""
    debug_id = str(PortablePdb(data).debug_id) if data[:4] == b"BSJB" else "3249d99d-0c40-4931-8610-f4e4fb0b6936-1"
    server.routes[f"/app.pdb/{debug_id[:36].replace('-', '').upper()}ffffffff/{file_name}"] = reply(body=data)
    return {"type": "pe_dotnet", "debug_id": debug_id, "debug_file": "app.pdb", "code_file": "app.dll"}


def method(number, offset, **fields):
    return {"function_id": number, "instruction_addr": offset, "addr_mode": "rel:0"} | fields


def look(engine, server, module, *given, scope, source=None, candidates=True, **fields):
    asked = {"stacktraces": [{"frames": list(given)}], "modules": [module], "options": {"dif_candidates": candidates}}
    return ask(engine, asked, [source or http_source(server)], scope=scope, trust=LOOPBACK, **fields)


def test_a_frame_gets_language_and_place_and_nothing_else(engine, server, builder, scope):
    module = serve(server, builder.build())

    answer = look(engine, server, module, method(1, 6, function="Main", trust="context"), scope=scope)

    assert list(frames(answer)[0].items()) == [
        ("status", "symbolicated"),
        ("original_index", 0),
        ("addr_mode", "rel:0"),
        ("instruction_addr", "0x6"),
        ("function_id", "0x1"),
        ("package", "app.dll"),
        ("lang", "csharp"),
        ("function", "Main"),
        ("filename", "Program.cs"),
        ("abs_path", DOCUMENT),
        ("lineno", 7),
        ("trust", "context"),
    ]
    known = answer["modules"][0]
    assert (known["debug_status"], known["arch"]) == ("found", "unknown")
    [used] = [row for row in known["candidates"] if "debug" in row]
    assert used["debug"] == {"status": "ok"}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (method(1, 0), 10),
        (method(1, 5), 10),
        (method("0x1", "0x6"), 7),
        (method(1, 0xFFFF), 7),
        ({"function_id": 1, "instruction_addr": 6}, 7),
    ],
)
def test_the_last_point_at_or_before_the_offset_counts(engine, server, builder, scope, given, line):
    module = serve(server, builder.build())

    assert frames(look(engine, server, module, given, scope="points"))[0]["lineno"] == line


@pytest.mark.parametrize("given", [method(2, 0), method(0, 0), method(2**40, 0), {"instruction_addr": 3}])
def test_a_method_that_is_not_there_or_not_told_is_a_missing_symbol(engine, server, builder, scope, given):
    module = serve(server, builder.build())

    answer = look(engine, server, module, given, scope=scope)

    assert frames(answer)[0]["status"] == "missing_symbol"
    assert answer["modules"][0]["debug_status"] == "found"


def test_relative_frames_of_a_module_with_an_address_count_within_the_method(engine, server, builder, scope):
    module = serve(server, builder.build()) | {"image_addr": "0x1000", "image_size": 0x100}

    found = frames(look(engine, server, module, method(1, 6), method(1, 0), scope=scope))

    assert [(frame["lineno"], frame["instruction_addr"]) for frame in found] == [(7, "0x6"), (10, "0x0")]


def test_guesses_that_lead_nowhere_are_dropped(engine, server, builder, scope):
    module = serve(server, builder.build())

    found = frames(look(engine, server, module, method(9, 0, trust="scan"), method(1, 0), scope=scope))

    assert [frame["original_index"] for frame in found] == [1]


def test_a_windows_pdb_is_unsupported(engine, server, scope):
    module = serve(server, shared("fixtures/peers/symbolic/windows/crash.pdb").read_bytes())

    answer = look(engine, server, module, method(1, 0), scope=scope)

    assert (answer["modules"][0]["debug_status"], frames(answer)[0]["status"]) == ("unsupported", "missing")


def test_a_file_that_only_looks_like_one_is_malformed(engine, server, builder, scope):
    data = builder.build()
    module = serve(server, data)
    server.routes = {path: reply(body=data[:80]) for path in server.routes}

    answer = look(engine, server, module, method(1, 0), scope=scope)

    assert (answer["modules"][0]["debug_status"], frames(answer)[0]["status"]) == ("malformed", "malformed")


def test_the_checksum_of_the_module_is_sent_along(engine, server, builder, scope):
    module = serve(server, builder.build()) | {"debug_checksum": "SHA256:abc"}

    look(engine, server, module, method(1, 0), scope=scope)

    assert {asked.headers.get("symbolchecksum") for asked in server.asked} == {"SHA256:abc"}


def test_lines_around_come_from_the_sources_in_the_file(engine, server, builder, scope):
    builder.information(DOCUMENT_TAG, 1, builders.EMBEDDED_SOURCE, builders.embedded(text("embedded")))
    module = serve(server, builder.build())

    answer = look(engine, server, module, method(1, 6, in_app=True, context_line="old"), scope=scope)

    [frame] = frames(answer)
    assert frame["context_line"] == "embedded 7"
    assert frame["pre_context"] == [f"embedded {number}" for number in range(2, 7)]
    assert list(frame)[-4:] == ["pre_context", "context_line", "post_context", "in_app"]
    assert answer["modules"][0]["features"]["has_sources"]


def test_lines_around_come_from_where_the_file_links_to(engine, server, builder, scope):
    with web_server() as host:
        host.routes["/raw/Program.cs"] = reply(body=text("linked"))
        link = f'{{"documents": {{"/src/app/*": "{host.url}/raw/*"}}}}'
        builder.information(MODULE_TAG, 1, builders.SOURCE_LINK, link.encode())
        module = serve(server, builder.build())
        answer = look(engine, server, module, method(1, 6), scope=scope)
        again = look(Engine(engine.store, Gate()), server, module, method(1, 6), scope=scope)

    [frame] = frames(answer)
    assert (frame["context_line"], frame["source_link"]) == ("linked 7", f"{host.url}/raw/Program.cs")
    assert "sourcelink" in [row["source"] for row in answer["modules"][0]["candidates"]]
    assert again == answer
    assert len(host.asked) == 1


def test_more_frames_than_are_remembered_are_all_answered(engine, server, builder, scope):
    module = serve(server, builder.build())
    engine.managed_lines._known._half = 1

    found = frames(look(engine, server, module, *[method(1, offset) for offset in range(50)], scope=scope))

    assert [frame["lineno"] for frame in found] == [10] * 6 + [7] * 44


def test_a_second_request_asks_nobody(engine, server, builder, scope, monkeypatch):
    module = serve(server, builder.build())
    first = look(engine, server, module, method(1, 6), scope=scope)
    asked = len(server.asked)
    monkeypatch.setattr(engine.portable_pdbs, "get", None)

    assert look(engine, server, module, method(1, 6), scope=scope) == first
    assert len(server.asked) == asked


def test_a_file_that_vanished_is_fetched_again(engine, server, builder, scope):
    module = serve(server, builder.build())
    look(engine, server, module, method(1, 6), scope=scope)
    engine.portable_pdbs = OpenPortablePdbs()
    for entry, _ in engine.modules._known._young.values():
        if entry.found.answer.path is not None:
            entry.found.answer.path.unlink(missing_ok=True)

    found = frames(look(engine, server, module, method(1, 6), method(1, 0), scope=scope))

    assert [frame["lineno"] for frame in found] == [7, 10]


@pytest.mark.parametrize(
    "name",
    [
        "windows/portable.pdb",
        "windows/Sentry.Samples.Console.Basic.pdb",
        "ppdb-sourcelink-sample/ppdb-sourcelink-sample.pdb",
    ],
)
def test_files_of_the_compiler_answer_as_the_reader_does(engine, server, scope, name):
    data = shared(f"fixtures/peers/symbolic/{name}").read_bytes()
    module, reader = serve(server, data), PortablePdb(data)
    spots = [(row, offset) for row in range(1, 8) for offset in (0, 6, 40)]

    answer = look(engine, server, module, *[method(*spot) for spot in spots], scope=scope)

    found = {(int(frame["function_id"], 16), int(frame["instruction_addr"], 16)): frame for frame in frames(answer)}
    expected = {spot: reader.lookup(*spot) for spot in spots}
    assert any(expected.values())
    for spot, point in expected.items():
        assert (found[spot].get("abs_path"), found[spot].get("lineno")) == (
            (point.document, point.line) if point else (None, None)
        )


def test_embedded_sources_of_the_compiler_are_shown(engine, server, scope):
    data = shared("fixtures/peers/symbolic/windows/Sentry.Samples.Console.Basic.pdb").read_bytes()
    module, reader = serve(server, data), PortablePdb(data)
    point = reader.lookup(1, 0)

    [frame] = frames(look(engine, server, module, method(1, 0), scope=scope))

    lines = reader.embedded_source(point.document).decode("utf-8-sig").splitlines()
    assert frame["context_line"].removeprefix("\ufeff") == lines[point.line - 1]
    assert frame["filename"] == "Program.cs"


def test_links_of_the_compiler_are_told_whether_they_lead_anywhere_or_not(engine, server, scope, monkeypatch):
    data = shared("fixtures/peers/symbolic/windows/source-links-only.pdb").read_bytes()
    module, reader = serve(server, data), PortablePdb(data)
    followed = []

    def fetch(opener, target, host, deadline):
        followed.append(host.name)
        target.write(text("web"))

    monkeypatch.setattr("engine.lookup.links.fetch_file", fetch)
    spot = next((row, 0) for row in range(1, 20) if reader.lookup(row, 0))

    [frame] = frames(look(engine, server, module, method(*spot), scope=scope))

    assert followed == ["raw.githubusercontent.com"]
    assert frame["source_link"].startswith("https://raw.githubusercontent.com/getsentry/sentry-dotnet/")
    assert frame["context_line"] == f"web {frame['lineno']}"
