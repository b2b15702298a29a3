"""Tables of source maps: formats, positions, and maps and scripts that would end a process."""

from __future__ import annotations

import hashlib
import json
import resource

import pytest
from symbolic.sourcemapcache import SourceMapCache

from engine.errors import FailureKind, LookupFailure
from engine.formats.bytewise import FormatError
from engine.javascript import maps as module
from engine.javascript.inputs import Text
from engine.javascript.maps import NO_TOKEN, Pair, SourceMaps
from engine.lookup import Store
from engine.native.gate import Gate
from engine.outgoing import Deadline
from tests.engine.javascript.serving import SCRIPT, SOURCE, map_bytes
from tests.engine.shared_fixtures import shared

LONG = Deadline.never()


@pytest.fixture
def maps(js_store):
    return SourceMaps(js_store, Gate())


def text(content: bytes) -> Text:
    return Text(hashlib.sha256(content).hexdigest(), len(content), lambda: content)


def look_up(maps, script: bytes, source_map: bytes, line=1, column=20):
    position = (line, column)
    return maps.look_up(Pair(text(script), text(source_map)), [position], LONG)[position]


def test_a_token_with_everything(maps):
    token = look_up(maps, SCRIPT, map_bytes())
    assert (token.source, token.line, token.column, token.name, token.scope) == ("src/app.js", 2, 9, "broken", "start")
    assert token.context.line == SOURCE.splitlines()[1]
    assert token.has_content


@pytest.mark.parametrize(
    "source_map", [b")]}'\n" + map_bytes(), b")]}',garbage\n" + map_bytes(), map_bytes(version=...)]
)
def test_forms_of_plain_maps(maps, source_map):
    assert look_up(maps, SCRIPT, source_map).line == 2


@pytest.mark.parametrize(
    "source_map",
    [
        b"",
        b"[]",
        b"<!DOCTYPE html>",
        b"\xef\xbb\xbf" + map_bytes(),
        map_bytes().decode().encode("utf-16"),
        map_bytes().replace(b"start", b"\xff"),
        map_bytes(names=[], mappings="AAAAC"),
        map_bytes(mappings="ACAA"),
        map_bytes(mappings="!"),
        map_bytes(mappings="gggggggggggggggggggggA"),
        json.dumps({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "url": "x.map"}]}).encode(),
        b'{"version":3,"sections":' + b"[" * 100_000,
        b"[" * 1_000_000,
    ],
    ids=range(13),
)
def test_malformed_maps(maps, source_map):
    for _ in range(2):
        with pytest.raises(LookupFailure) as raised:
            look_up(maps, SCRIPT, source_map)
        assert raised.value.kind is FailureKind.MALFORMED


@pytest.mark.parametrize(
    "script",
    [b"(" * 100_000, b"[" * 50_000 + b"]" * 50_000, b"!" * 100_000 + b"a", b"a" + b"+a" * 200_000, b"a=>" * 100_000],
    ids=["brackets", "lists", "operators", "sums", "functions"],
)
def test_scripts_that_end_their_parser_cost_names_and_no_more(maps, script):
    """The library parses recursively: the converter's child dies of each of these, this process must not."""
    token = look_up(maps, script, map_bytes())
    assert (token.line, token.scope) == (2, "<unknown>")


def test_deep_scripts_that_the_child_can_parse_are_parsed_here_too(maps):
    """From a depth that is no trouble to one that is too much: whatever passes the child passes here."""
    for depth in (500, 1500, 2500, 3500, 5000):
        token = look_up(maps, b"(" * depth + b"a" + b")" * depth, map_bytes(names=[str(depth), "x"]))
        assert token.line == 2


def test_a_map_that_takes_too_much_memory_is_too_large(maps, monkeypatch):
    monkeypatch.setattr(module, "BUILD_BYTES", 32 << 20)
    with pytest.raises(LookupFailure) as raised:
        look_up(maps, b"", map_bytes(mappings="AAAA" + ",CAAC" * 2_000_000))
    assert raised.value.kind is FailureKind.TOO_LARGE


def test_a_map_of_two_hundred_megabytes_is_refused_and_not_read_again(maps):
    """The child dies for want of memory; this process holds the text and nothing else."""
    content = map_bytes(mappings="AAAA").replace(b'AAAA"', b"AAAA" + b",CAAC" * (40 << 20) + b'"')
    identity = hashlib.sha256(content).hexdigest()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(LookupFailure) as raised:
        maps.look_up(Pair(text(b""), Text(identity, len(content), lambda: content)), [(1, 1)], LONG)
    assert raised.value.kind is FailureKind.TOO_LARGE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10

    def read_again():
        raise AssertionError("read again")

    with pytest.raises(LookupFailure):
        maps.look_up(Pair(text(b""), Text(identity, len(content), read_again)), [(1, 1)], LONG)


def test_what_came_of_a_try_is_remembered_on_disk(js_store, monkeypatch):
    script, source_map = b"(" * 90_000, map_bytes(file="remembered.js")
    look_up(SourceMaps(js_store, Gate()), script, source_map)

    def refuse(*_):
        raise AssertionError("asked twice")

    monkeypatch.setattr(js_store.converter, "check_source_map", refuse)
    assert look_up(SourceMaps(js_store, Gate()), script, source_map).scope == "<unknown>"


def test_positions_are_remembered_and_the_table_is_not_built_for_them(js_store, monkeypatch):
    maps = SourceMaps(js_store, Gate())
    first = look_up(maps, SCRIPT, map_bytes(file="tokens.js"))
    maps._tables.drop(Pair(text(SCRIPT), text(map_bytes(file="tokens.js"))).key)
    monkeypatch.setattr(SourceMapCache, "from_bytes", None)
    assert look_up(maps, SCRIPT, map_bytes(file="tokens.js")) is first


def test_a_converter_that_does_not_run_says_nothing_about_the_map(tmp_path, monkeypatch):
    store = Store(tmp_path)

    def unavailable(*_):
        raise module.ConverterUnavailable("none runs")

    monkeypatch.setattr(store.converter, "check_source_map", unavailable)
    with pytest.raises(LookupFailure) as raised:
        look_up(SourceMaps(store, Gate()), SCRIPT, map_bytes())
    assert not isinstance(raised.value, FormatError)


@pytest.mark.parametrize(
    ("line", "column", "found"),
    [
        (1, 0, 1),
        (1, 1, 1),
        (1, 13, 1),
        (1, 14, 2),
        (1, 99_999, 2),
        (2, 1, 0),
        (99, 1, 0),
        (4_294_967_295, 4_294_967_295, 0),
    ],
)
def test_the_greatest_mapping_of_the_line_at_or_before_the_position(maps, line, column, found):
    token = look_up(maps, SCRIPT, map_bytes(), line, column)
    assert token.line == found
    assert (token is NO_TOKEN) is (found == 0)


def test_a_position_before_the_first_mapping_of_its_line_has_no_token(maps):
    source_map = map_bytes(mappings="AAAA;KAAA")
    assert look_up(maps, SCRIPT, source_map, 2, 5) is NO_TOKEN
    assert look_up(maps, SCRIPT, source_map, 2, 6).line == 1


def test_segments_of_one_field_unmap_what_follows(maps):
    source_map = map_bytes(mappings="AAAA,I,IAAA")
    lines = [look_up(maps, b"", source_map, 1, column).line for column in (1, 5, 9)]
    assert lines == [1, 0, 1]


@pytest.mark.parametrize(
    ("contents", "has_content"),
    [([None], False), (..., False), ([""], True), (["one line"], True), ([], False)],
)
def test_missing_content_is_told_from_empty_and_short_content(maps, contents, has_content):
    token = look_up(maps, SCRIPT, map_bytes(sourcesContent=contents))
    assert token.context is None
    assert token.has_content is has_content


def test_sources_of_one_name_are_told_apart(maps):
    source_map = map_bytes(sources=["a", "a"], sourcesContent=[None, ""], mappings="AAAA,CCAA")
    assert [look_up(maps, b"", source_map, 1, column).has_content for column in (1, 2)] == [False, True]


def test_source_roots_go_in_front(maps):
    assert look_up(maps, SCRIPT, map_bytes(sourceRoot="/root/")).source == "/root/src/app.js"
    assert look_up(maps, SCRIPT, map_bytes(sourceRoot="r", sources=["/abs.js"])).source == "/abs.js"
    assert look_up(maps, SCRIPT, map_bytes(sources=[None])).source is None


def test_index_maps_are_flattened(maps):
    folder = shared("fixtures/peers/symbolic/sourcemaps")
    source_map = (folder / "indexed.sourcemap.js").read_bytes()
    script = (folder / "indexed.min.js").read_bytes()
    sources = {look_up(maps, script, source_map, line, 20).source for line in (1, 2)}
    assert {source.rpartition("/")[2] for source in sources if source} <= {"file1.js", "file2.js"}
    assert any(sources)


def test_bytecode_positions_of_hermes(maps):
    source_map = shared("fixtures/peers/symbolic/sourcemapcache/hermes-metro/react-native-hermes.map").read_bytes()
    first, second = look_up(maps, b"", source_map, 1, 11940), look_up(maps, b"", source_map, 1, 11858)
    assert (first.source.rpartition("/")[2], first.line, first.scope) == ("module.js", 2, "foo")
    assert (second.source.rpartition("/")[2], second.line) == ("input.js", 3)


def test_a_map_as_dart_writes_it(maps):
    """Names are those of the original code, and the scope's is at its closing position."""
    script = b"function(){\n}\n"
    source_map = map_bytes(sources=["../lib/main.dart"], sourcesContent=[None], names=["main"], mappings="UAAAA;CAEA")
    assert look_up(maps, script, source_map, 1, 11).source == "../lib/main.dart"


@pytest.mark.parametrize(
    "name", ["simple/minified.js", "preact.module.js", "webpack/bundle.js", "inlining/module.js", "nofiles.js"]
)
def test_real_maps_give_what_the_library_gives(maps, name):
    folder = shared("fixtures/peers/symbolic/sourcemapcache")
    script, source_map = (folder / name).read_bytes(), (folder / f"{name}.map").read_bytes()
    table = SourceMapCache.from_bytes(script, source_map)
    positions = [(line, column) for line in range(1, 4) for column in range(1, 400, 9)]
    found = maps.look_up(Pair(text(script), text(source_map)), positions, LONG)
    for line, column in positions:
        expected = table.lookup(line, column, 0)
        token = found[line, column]
        assert (token is NO_TOKEN) is (expected is None)
        if expected is not None:
            assert (token.source, token.line, token.column) == (expected.src, expected.line, expected.col)
