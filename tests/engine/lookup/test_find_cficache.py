"""Unwind rules from sources: which file gives them, what is answered, and what is kept."""

from __future__ import annotations

import pytest

from engine.caches import Selection, purge, usage
from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex
from engine.formats.eh_frame import EhFrameIndex
from engine.lookup import (
    Candidate,
    Download,
    DownloadStatus,
    Features,
    ModuleStatus,
    Use,
    UseStatus,
    find_cficache,
    join_candidates,
)
from engine.lookup.model import NOTHING_LISTED
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.unwind import OpenCfis
from tests.engine.lookup.conftest import LEDGER, LEDGER_PATH, look, make_source
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import reply

PEERS = "fixtures/peers/symbolic"
CRASH_ID = DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1")
CRASH = Wanted(ModuleType.PE, "5ab380779000", "C:\\crash.exe", CRASH_ID, "C:\\crash.pdb")


def rules_of(store, sources, wanted=LEDGER, *, scope="p1"):
    return find_cficache(wanted, sources, scope=scope, store=store, deadline=Deadline.after(60))


def serving_pdb(server):
    """A source with a file whose rules have to be converted."""
    path = "/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
    server.routes[path] = reply(body=shared(f"{PEERS}/windows/crash.pdb").read_bytes())
    return make_source(server.url)


def uses(answer):
    return {row.location.rpartition("/")[2]: row.unwind and row.unwind.status.value for row in answer.candidates}


def test_a_library_gives_rules_for_its_addresses(store, server):
    answer = rules_of(store, [make_source(server.url)])

    assert (answer.status, answer.arch) == (ModuleStatus.FOUND, "x86_64")
    assert answer.features.has_unwind_info
    index = EhFrameIndex(answer.path.read_bytes())
    assert not index.is_empty
    assert index.cfi(0x1020)[1].startswith(".cfa: $rsp ")
    assert index.checksum == answer.checksum
    assert answer.module_record is None
    assert uses(answer)[LEDGER_PATH.rpartition("/")[2]] == "ok"
    assert all(row.debug is None for row in answer.candidates)


def test_one_download_serves_names_and_rules(store, server):
    source = make_source(server.url)
    names = look(store, [source])
    rules = rules_of(store, [source])

    assert names.status is rules.status is ModuleStatus.FOUND
    assert server.paths.count(LEDGER_PATH) == 1
    [row] = [row for row in join_candidates(names.candidates, rules.candidates) if row.debug]
    assert (row.debug.status, row.unwind.status) == (UseStatus.OK, UseStatus.OK)


def test_a_file_without_rules_is_passed_over(store, server):
    debug_file = shared("fixtures/captures/crash/builds/fp/libledger.so.debug").read_bytes()
    server.routes[LEDGER_PATH + ".debug"] = reply(body=debug_file)
    del server.routes[LEDGER_PATH]

    answer = rules_of(store, [make_source(server.url)])

    assert answer.status is ModuleStatus.MISSING
    assert answer.path is answer.identity is None
    assert set(uses(answer).values()) == {None}
    assert look(store, [make_source(server.url)]).status is ModuleStatus.FOUND


def test_the_first_file_with_rules_is_taken(store, server, ledger):
    server.routes[LEDGER_PATH + ".debug"] = reply(body=ledger)

    assert {name: use for name, use in uses(rules_of(store, [make_source(server.url)])).items() if use} == {
        LEDGER_PATH.rpartition("/")[2]: "ok"
    }


def test_frame_data_of_a_pdb_is_found(store, server):
    answer = rules_of(store, [serving_pdb(server)], CRASH)

    assert answer.status is ModuleStatus.FOUND
    assert uses(answer)["crash.pdb"] == "ok"
    assert CfiIndex.open(answer.path).win(0x1035).program.startswith("$T0 .raSearch = ")


def test_code_files_of_windows_name_their_debug_file(store, server):
    wanted = Wanted(ModuleType.PE, "5c8a2b6f9000", "CrashWithException.exe", None, None)
    server.routes["/CrashWithException.exe/5C8A2B6F9000/CrashWithException.exe"] = reply(
        body=shared(f"{PEERS}/windows/CrashWithException.exe").read_bytes()
    )

    answer = rules_of(store, [make_source(server.url)], wanted)

    assert answer.status is ModuleStatus.FOUND
    assert answer.module_record.debug_file.endswith("\\x64\\Release\\CrashWithException.pdb")
    assert answer.module_record.debug_id == DebugId.parse("f535c5fb-2ae8-4bb8-aa20-6c30be566c5a-1")


@pytest.mark.parametrize(
    ("answered", "status"),
    [
        (reply(status=404), ModuleStatus.MISSING),
        (reply(status=403), ModuleStatus.FETCHING_FAILED),
        (reply(body=b"<!doctype html>Log in"), ModuleStatus.MALFORMED),
    ],
)
def test_what_goes_wrong_with_a_file_decides_the_status(store, server, answered, status):
    server.routes[LEDGER_PATH] = answered

    assert rules_of(store, [make_source(server.url)]).status is status


def test_a_damaged_index_is_made_again(store, server):
    source = serving_pdb(server)
    first = rules_of(store, [source], CRASH)
    content = bytearray(first.path.read_bytes())
    content[len(content) // 2] ^= 1
    first.path.unlink()
    first.path.write_bytes(content)

    again = rules_of(store, [source], CRASH)

    assert again.status is ModuleStatus.FOUND
    assert again.identity == first.identity
    assert again.path.read_bytes() != bytes(content)


def test_a_failed_conversion_is_remembered(store, server, monkeypatch):
    body = shared(f"{PEERS}/windows/CrashWithException.exe").read_bytes()
    server.routes[LEDGER_PATH] = reply(body=body[: len(body) - 4096])
    first = rules_of(store, [make_source(server.url)])
    monkeypatch.setattr(store.converter, "make_cfi", None)

    assert rules_of(store, [make_source(server.url)]).status is first.status


def test_scopes_do_not_share_rules(store, server):
    source = make_source(server.url)

    assert rules_of(store, [source], scope="p1").path != rules_of(store, [source], scope="p2").path


def test_rules_are_counted_and_purged_as_a_kind_of_their_own(store, server):
    source = serving_pdb(server)
    answer = rules_of(store, [source], CRASH)
    module = Selection.of(module=str(CRASH_ID))
    assert usage(store.cache_dir, module)["cficaches"].files == 1

    purge(store.cache_dir, module)

    assert not answer.path.exists()
    assert "cficaches" not in usage(store.cache_dir, Selection())
    assert rules_of(store, [source], CRASH).identity == answer.identity


def test_rules_that_are_read_in_place_are_kept_nowhere_else(store, server, monkeypatch):
    monkeypatch.setattr(store.converter, "make_cfi", None)
    source = make_source(server.url)
    answer = rules_of(store, [source])

    assert OpenCfis().get(answer.identity, answer.path, answer.checksum).covers(0x1020)
    assert set(usage(store.cache_dir, Selection())) == {"answers", "objects", "symcaches"}
    assert (rules_of(store, [source]).path, rules_of(store, [source]).checksum) == (answer.path, answer.checksum)
    assert server.paths.count(LEDGER_PATH) == 1


def test_a_file_whose_tables_are_damaged_is_fetched_again(store, server):
    source = make_source(server.url)
    answer = rules_of(store, [source])
    content = bytearray(answer.path.read_bytes())
    content[content.find(b"\1zR\0") + 12] ^= 1
    answer.path.write_bytes(content)

    with pytest.raises(FormatError):
        OpenCfis().get(answer.identity, answer.path, answer.checksum)
    again = rules_of(store, [source])

    assert (again.status, again.identity) == (ModuleStatus.FOUND, answer.identity)
    assert OpenCfis().get(again.identity, again.path, again.checksum).covers(0x1020)
    assert server.paths.count(LEDGER_PATH) == 2


def row(source, location, status=DownloadStatus.OK, debug=None, unwind=None):
    features = Features() if status is DownloadStatus.OK else None
    return Candidate(source, location, Download(status, features), debug, unwind)


def test_joined_tries_have_one_row_per_place():
    good, bad = Use(UseStatus.OK), Use(UseStatus.MALFORMED)
    listed = row("empty", NOTHING_LISTED, DownloadStatus.NOT_FOUND)
    debug = [row("a", "2", debug=good), row("a", "1", DownloadStatus.NOT_FOUND), listed]
    unwind = [listed, row("a", "2", unwind=bad), row("a", "3", unwind=None)]

    assert join_candidates(debug, unwind) == (
        row("a", "1", DownloadStatus.NOT_FOUND),
        row("a", "2", debug=good, unwind=bad),
        row("a", "3"),
        listed,
    )


def test_the_lookup_that_had_the_file_is_believed():
    gone, there = row("a", "1", DownloadStatus.ERROR), row("a", "1", unwind=Use(UseStatus.OK))

    assert join_candidates([gone], [there]) == (there,)
    assert join_candidates([there], [gone]) == (there,)
    assert join_candidates([gone], []) == (gone,)
