"""From a module to its symcache, and the record of every try."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from symbolic import SymCache

from engine.caches import Selection, usage
from engine.errors import DeadlineExceeded
from engine.lookup import Features, ModuleStatus, Use, UseStatus, objects
from engine.lookup.object_files import find_object
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline, Trust, connections
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.lookup.conftest import KEY, LEDGER, LEDGER_PATH, downloads, look, make_source
from tests.engine.shared_fixtures import shared
from tests.engine.stores import store_in
from tests.engine.webserver import hang, raw, reply, web_server

LEDGER_NAME = LEDGER_PATH.rpartition("/")[2]


def test_a_library_on_a_server_is_found(server, store):
    answer = look(store, [make_source(server.url)])

    assert answer.status is ModuleStatus.FOUND
    assert answer.arch == "x86_64"
    assert answer.features == Features(has_debug_info=True, has_unwind_info=True, has_symbols=True)
    assert SymCache.open(str(answer.path)).debug_id == str(LEDGER.debug_id)
    assert len(answer.identity) == 32


def test_a_symcache_made_at_once_is_the_one_that_a_job_of_its_own_makes(server, store, tmp_path, monkeypatch):
    at_once = look(store, [make_source(server.url)])
    monkeypatch.setattr(objects, "AT_ONCE_BYTES", 0)
    with store_in(tmp_path / "other") as other:
        alone = look(other, [make_source(server.url)])

        assert alone.identity == at_once.identity
        assert alone.path.read_bytes() == at_once.path.read_bytes()
        assert alone.path.relative_to(other.cache_dir) == at_once.path.relative_to(store.cache_dir)


def test_who_only_hands_files_on_converts_nothing(server, store):
    sources = [make_source(server.url)]
    answer = find_object(LEDGER, sources, [FileType.ELF_CODE], scope="p1", store=store, deadline=Deadline.after(60))

    assert answer.found is not None
    assert set(usage(store.cache_dir, Selection())) == {"objects"}
    assert look(store, sources).status is ModuleStatus.FOUND


def test_every_try_is_on_record(server, store):
    answer = look(store, [make_source(server.url)])

    assert downloads(answer) == {
        LEDGER_NAME: ("ok", None),
        f"{LEDGER_NAME}.debug": ("notfound", None),
        "libledger.so": ("notfound", None),
        "libledger.s_": ("notfound", None),
        "libledger.so.sym": ("notfound", None),
    }
    used = [row for row in answer.candidates if row.debug]
    assert [(row.location, row.debug, row.unwind) for row in used] == [
        (server.url + LEDGER_PATH, Use(UseStatus.OK), None)
    ]
    assert used[0].download.features == answer.features
    assert list(answer.candidates) == sorted(answer.candidates, key=lambda row: (row.source, row.location))


def test_a_second_lookup_asks_nobody(server, store):
    first = look(store, [make_source(server.url)])
    asked = len(server.asked)

    assert look(store, [make_source(server.url)]).identity == first.identity
    assert len(server.asked) == asked == 5


def test_a_source_that_lists_nothing_shows_so(server, store):
    quiet = make_source(server.url, id="quiet", filters={"filetypes": ["pe"]})

    answer = look(store, [quiet])

    assert answer.status is ModuleStatus.MISSING
    [row] = answer.candidates
    assert (row.source, row.location) == ("quiet", "No object files listed on this source")
    assert (row.download.status.value, row.debug) == ("notfound", None)


def test_without_sources_a_module_is_missing(store):
    answer = look(store, [])

    assert (answer.status, answer.candidates, answer.path, answer.arch) == (ModuleStatus.MISSING, (), None, "unknown")


@pytest.mark.parametrize(
    ("answer", "module", "download"),
    [
        (reply("403 Forbidden"), ModuleStatus.FETCHING_FAILED, ("noperm", "403 Forbidden")),
        (reply("302 Found"), ModuleStatus.FETCHING_FAILED, ("noperm", "Potential login page detected")),
        (reply("404 Not Found"), ModuleStatus.MISSING, ("notfound", None)),
        (
            reply("500 Internal Server Error"),
            ModuleStatus.FETCHING_FAILED,
            ("error", "download failed: 500 Internal Server Error"),
        ),
        (
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n\x7fELF"),
            ModuleStatus.FETCHING_FAILED,
            ("error", "download failed: the connection broke off"),
        ),
        (
            reply(body=b"<html>Please log in</html>", Content_Type="text/html"),
            ModuleStatus.MALFORMED,
            ("malformed", None),
        ),
        (reply(body=b""), ModuleStatus.MALFORMED, ("malformed", None)),
        (reply(body=gzip.compress(b"x" * 1000)[:50]), ModuleStatus.MALFORMED, ("malformed", None)),
    ],
)
def test_a_failure_is_told_for_what_it_is(server, store, answer, module, download):
    server.routes[LEDGER_PATH] = answer

    found = look(store, [make_source(server.url)])

    assert (found.status, found.path, found.identity) == (module, None, None)
    assert downloads(found)[LEDGER_NAME] == download


def test_a_server_that_hangs_is_a_timeout(server, store, monkeypatch):
    monkeypatch.setattr(connections, "HEADERS_SECONDS", 0.2)
    server.routes[LEDGER_PATH] = hang

    answer = look(store, [make_source(server.url)])

    assert answer.status is ModuleStatus.TIMEOUT
    assert downloads(answer)[LEDGER_NAME][0] == "error"


def test_a_malformed_file_is_marked_as_such_for_its_use_too(server, store):
    server.routes[LEDGER_PATH] = reply(body=b"no object")

    [row] = [row for row in look(store, [make_source(server.url)]).candidates if row.debug]
    assert (row.download.status.value, row.debug) == ("malformed", Use(UseStatus.MALFORMED))


def test_a_restricted_destination_is_told_and_not_remembered(server, store):
    untrusted = make_source(server.url, trust=Trust.NONE)
    answer = look(store, [untrusted])

    assert answer.status is ModuleStatus.FETCHING_FAILED
    assert downloads(answer)[LEDGER_NAME] == ("error", "download failed: destination is restricted")
    assert answer.valid_until < time.time() + 120
    assert look(store, [make_source(server.url)]).status is ModuleStatus.FOUND


def test_a_source_that_cannot_be_asked_is_visible_and_harms_nobody(server, store):
    bucket = decode_sources([{"id": "bucket", "type": "gcs", "bucket": "b", "private_key": "x"}], operator=False)[0]
    source = open_source(bucket, owner="acme", trust=Trust.NONE, digest_key=KEY)

    answer = look(store, [source, make_source(server.url)])

    assert answer.status is ModuleStatus.FOUND
    rows = [row for row in answer.candidates if row.source == "bucket"]
    assert {(row.download.status.value, row.download.details) for row in rows} == {
        ("error", "the private key cannot be read")
    }


@pytest.mark.parametrize("bad", [hang, reply("500 X"), raw(b"garbage\r\n"), reply(body=b"x" * 10)])
def test_a_bad_source_does_not_spoil_a_good_one(server, store, monkeypatch, bad):
    monkeypatch.setattr(connections, "HEADERS_SECONDS", 0.2)
    with web_server() as other:
        other.default = bad
        answer = look(store, [make_source(other.url, id="bad", owner="spoiling"), make_source(server.url)])

    assert answer.status is ModuleStatus.FOUND


def test_all_places_are_asked_at_once(server, store):
    def slow(asked, connection):
        time.sleep(0.5)
        reply("404 Not Found")(asked, connection)

    server.default = slow
    started = time.monotonic()

    look(store, [make_source(server.url)])

    assert time.monotonic() - started < 1.5


def test_debug_information_beats_symbols_and_the_first_source_wins_ties(server, store, ledger):
    stripped = shared("fixtures/captures/crash/builds/fp/libledger.so.stripped").read_bytes()
    with web_server() as first, web_server() as third:
        first.routes[LEDGER_PATH] = reply(body=stripped)
        third.routes[LEDGER_PATH] = reply(body=ledger)
        sources = [make_source(made.url, id=id) for made, id in ((first, "1"), (server, "2"), (third, "3"))]
        answer = look(store, sources)

    assert answer.status is ModuleStatus.FOUND
    assert [row.source for row in answer.candidates if row.debug] == ["2"]


def test_a_stripped_library_is_used_for_its_symbols_or_counts_as_missing(server, store):
    """Whatever is usable in it decides, and never an exception of the converter."""
    server.routes[LEDGER_PATH] = reply(
        body=shared("fixtures/captures/crash/builds/fp/libledger.so.stripped").read_bytes()
    )

    answer = look(store, [make_source(server.url)])

    expected = ModuleStatus.FOUND if answer.features.has_symbols else ModuleStatus.MISSING
    assert answer.status is expected
    assert downloads(answer)[LEDGER_NAME] == ("ok", None)


def test_a_file_without_debug_information_and_symbols_counts_as_missing(server, store):
    """A plain PE file converts without an error, to nothing."""
    server.routes["/crash.exe/5AB380779000/crash.exe"] = reply(
        body=shared("fixtures/peers/symbolic/windows/crash.exe").read_bytes()
    )
    wanted = Wanted(ModuleType.PE, "5ab380779000", "C:\\crash.exe")

    answer = look(store, [make_source(server.url)], wanted)

    assert (answer.status, answer.path) == (ModuleStatus.MISSING, None)
    assert downloads(answer)["crash.exe"] == ("ok", None)
    assert all(row.debug is None for row in answer.candidates)


def test_a_single_object_is_taken_though_its_id_differs(server, store):
    other = Wanted(ModuleType.ELF, LEDGER.code_id, "x", DebugId.parse("0" * 31 + "1"), "x")

    assert look(store, [make_source(server.url)], other).status is ModuleStatus.FOUND


FAT = "fixtures/peers/symbolic/macos/Example.framework.dSYM/Contents/Resources/DWARF/Example"


@pytest.mark.parametrize(
    ("debug_id", "arch"),
    [("2556f151-5a40-3847-be6c-e2c1b5be4df8", "arm64"), ("3b4566e4-491b-3dcf-94f5-ae51f624dd87", "x86_64")],
)
def test_the_object_of_a_fat_file_is_chosen_by_its_id(server, store, debug_id, arch):
    server.default = reply(body=shared(FAT).read_bytes())

    answer = look(store, [make_source(server.url)], Wanted(ModuleType.MACHO, None, "Example", DebugId.parse(debug_id)))

    assert (answer.status, answer.arch) == (ModuleStatus.FOUND, arch)
    assert SymCache.open(str(answer.path)).arch == arch


def test_a_fat_file_without_the_module_is_not_found(server, store):
    server.default = reply(body=shared(FAT).read_bytes())

    answer = look(store, [make_source(server.url)], Wanted(ModuleType.MACHO, None, "Example", DebugId.parse("1" * 32)))

    assert answer.status is ModuleStatus.MISSING
    assert set(downloads(answer).values()) == {("notfound", None)}


def test_a_windows_pdb_is_unsupported_for_dotnet_and_says_why(server, store):
    server.default = reply(body=shared("fixtures/peers/symbolic/windows/crash.pdb").read_bytes())
    wanted = Wanted(ModuleType.PE_DOTNET, None, "a.dll", LEDGER.debug_id, "a.pdb")

    answer = look(store, [make_source(server.url)], wanted)

    text = "unsupported: Only portable PDB files can be used for .NET symbolication"
    assert (answer.status, answer.path) == (ModuleStatus.UNSUPPORTED, None)
    assert [row.debug for row in answer.candidates if row.debug] == [Use(UseStatus.ERROR, text)]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("windows/crash.pdb", Wanted(ModuleType.PE, None, "crash.exe", LEDGER.debug_id, "crash.pdb")),
        ("macos/crash.sym", Wanted(ModuleType.MACHO, None, "crash", LEDGER.debug_id, "crash")),
        ("wasm/simple.wasm", Wanted(ModuleType.WASM, "aabbcc", None, LEDGER.debug_id, "simple.wasm")),
    ],
)
def test_other_formats_are_found_too(server, store, path, wanted):
    server.default = reply(body=shared(f"fixtures/peers/symbolic/{path}").read_bytes())

    assert look(store, [make_source(server.url)], wanted).status is ModuleStatus.FOUND


def test_a_file_larger_than_allowed_is_not_taken(server, store, ledger):
    store.max_download_bytes = len(ledger) - 1

    answer = look(store, [make_source(server.url)])

    assert (answer.status, downloads(answer)[LEDGER_NAME]) == (ModuleStatus.MALFORMED, ("malformed", None))
    assert not [path for path in store.cache_dir.rglob("*") if path.is_file() and path.stat().st_size > 4096]


def test_a_small_file_that_unpacks_to_a_large_one_is_not_taken(server, store):
    server.routes[LEDGER_PATH] = reply(body=gzip.compress(bytes(60 * 1024**2)))

    assert look(store, [make_source(server.url)]).status is ModuleStatus.MALFORMED


def test_the_deadline_of_the_request_ends_the_wait(server, store):
    server.default = server.routes[LEDGER_PATH] = hang
    started = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        look(store, [make_source(server.url)], seconds=0.5)
    assert time.monotonic() - started < 3


def test_a_miss_is_remembered_for_an_hour_and_for_a_day_in_the_global_scope(server, store):
    for scope, seconds in (("p1", 3600), ("global", 86400)):
        look(store, [make_source(server.url)], scope=scope)
        records = [path.read_bytes() for path in store.cache_dir.glob("objects/**/*.json")]
        assert any(_lifetime(record) == pytest.approx(seconds, abs=30) for record in records)


def _lifetime(record: bytes) -> float:
    miss = json.loads(record).get("miss") or {"created": 0, "expires": 0}
    return miss["expires"] - miss["created"]
