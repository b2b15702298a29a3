"""Symbol servers that list what they hold are asked for nothing else."""

from __future__ import annotations

import io
import threading

import pytest

from engine.errors import DeadlineExceeded, FailureKind, LookupFailure
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.sourcetypes import index as index_module
from engine.sourcetypes.base import FileType
from engine.sourcetypes.index import Indexes
from tests.engine.sourcetypes.asking import opened
from tests.engine.webserver import hang, reply, web_server

CRASH = Wanted(
    ModuleType.PE,
    "5ab380779000",
    "C:\\crash.exe",
    DebugId.parse("3249d99d0c4049318610f4e4fb0b69361"),
    "C:\\crash.pdb",
)
LISTED = "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb"
TYPES = [FileType.PDB, FileType.PE]


def transaction(*names):
    return "".join(f'"{name}","C:\\build\\x"\r\n' for name in names).encode()


@pytest.fixture
def server():
    with web_server() as made:
        made.routes["/s/000Admin/lastid.txt"] = reply(body=b"0000000002")
        made.routes["/s/000Admin/0000000001"] = reply(body=transaction("other.pdb\\1234"))
        made.routes["/s/000Admin/0000000002"] = reply(
            body=transaction("crash.pdb\\3249D99D0C4049318610F4E4FB0B69361", "CRASH.EXE\\5AB380779000")
        )
        yield made


def symstore(server, *, owner, **fields):
    fields = {"layout": {"type": "symstore"}, "has_index": True} | fields
    return opened(owner=owner, type="http", url=f"{server.url}/s/", **fields)


def paths(source, seconds=10.0):
    return [location.path for _, location in source.locate(CRASH, TYPES, Deadline.after(seconds))]


def test_only_listed_files_are_offered_as_they_are_spelt(server):
    assert paths(symstore(server, owner="listed")) == [LISTED]


def test_without_the_setting_or_with_another_layout_nothing_is_read(server):
    plain = symstore(server, owner="plain", has_index=False)
    other = symstore(server, owner="other", layout={"type": "ssqp"})

    assert len(paths(plain)) == len(paths(other)) == 4
    assert not plain.asks_first
    assert not other.asks_first
    assert server.asked == []


def test_an_index_is_read_once_and_then_only_what_is_new(server):
    source, now = symstore(server, owner="once"), [0.0]
    indexes = Indexes(clock=lambda: now[0])
    assert LISTED in indexes.find("k", source._read, Deadline.after(5))
    assert LISTED in indexes.find("k", source._read, Deadline.after(5))
    assert len(server.asked) == 3

    now[0] = 86_401.0
    server.routes["/s/000Admin/lastid.txt"] = reply(body=b"3\r\n")
    server.routes["/s/000Admin/0000000003"] = reply(body=transaction("new.pdb\\1"))
    index = indexes.find("k", source._read, Deadline.after(5))

    assert "new.pdb/1/new.pdb" in index
    assert LISTED in index
    assert server.paths[3:] == ["/s/000Admin/lastid.txt", "/s/000Admin/0000000003"]


def test_a_server_that_was_set_up_anew_is_read_anew(server):
    source, now = symstore(server, owner="anew"), [0.0]
    indexes = Indexes(clock=lambda: now[0])
    indexes.find("k", source._read, Deadline.after(5))

    now[0] = 90_000.0
    server.routes["/s/000Admin/lastid.txt"] = reply(body=b"1")

    assert LISTED not in indexes.find("k", source._read, Deadline.after(5))


@pytest.mark.parametrize("body", [b"", b"-1", b"many", b"99999999", b"<html>"])
def test_an_index_that_makes_no_sense_counts_as_empty(server, body):
    server.routes["/s/000Admin/lastid.txt"] = reply(body=body)

    assert paths(symstore(server, owner=f"senseless {body!r}")) == []


def test_an_index_that_cannot_be_had_counts_as_empty_for_ten_minutes(server):
    source, now = symstore(server, owner="failing"), [0.0]
    server.routes["/s/000Admin/0000000002"] = reply("403 Forbidden")
    indexes = Indexes(clock=lambda: now[0])
    assert LISTED not in indexes.find("k", source._read, Deadline.after(5))
    asked = len(server.asked)
    indexes.find("k", source._read, Deadline.after(5))
    assert len(server.asked) == asked

    now[0] = 601.0
    server.routes["/s/000Admin/0000000002"] = reply(body=transaction("crash.pdb\\3249D99D0C4049318610F4E4FB0B69361"))
    assert LISTED in indexes.find("k", source._read, Deadline.after(5))
    assert server.paths.count("/s/000Admin/0000000001") == 1


def test_a_transaction_that_was_removed_is_passed_over(server):
    del server.routes["/s/000Admin/0000000001"]

    assert paths(symstore(server, owner="removed")) == [LISTED]


def test_reading_goes_on_where_a_deadline_interrupted_it(server):
    source = symstore(server, owner="interrupted")
    complete, server.routes["/s/000Admin/0000000002"] = server.routes["/s/000Admin/0000000002"], hang
    with pytest.raises(DeadlineExceeded):
        paths(source, seconds=0.5)

    server.routes["/s/000Admin/0000000002"] = complete
    assert paths(source) == [LISTED]
    assert server.paths.count("/s/000Admin/0000000001") == 1


def test_several_threads_read_an_index_once(server):
    source, found = symstore(server, owner="threads"), []
    threads = [threading.Thread(target=lambda: found.append(paths(source))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[LISTED]] * 8
    assert len(server.asked) == 3


def test_sources_do_not_share_an_index(server):
    def read(path, limit, deadline):
        raise LookupFailure(FailureKind.REFUSED)

    source, indexes = symstore(server, owner="apart"), Indexes()

    assert LISTED in indexes.find("ours", source._read, Deadline.after(5))
    assert LISTED not in indexes.find("theirs", read, Deadline.after(5))


def test_a_listing_is_bounded_in_file_and_in_all(server, monkeypatch):
    source = symstore(server, owner="bounded")
    with pytest.raises(LookupFailure) as caught:
        source._read("000Admin/0000000002", 10, Deadline.after(5))
    assert caught.value.kind is FailureKind.TOO_LARGE

    monkeypatch.setattr(index_module, "MAX_INDEXES", 2)
    indexes = Indexes()
    for key in "abc":
        indexes.find(key, source._read, Deadline.after(5))
    assert list(indexes._kept) == ["b", "c"]


def test_a_directory_can_have_an_index_too(tmp_path):
    (tmp_path / "000Admin").mkdir()
    (tmp_path / "000Admin" / "lastid.txt").write_bytes(b"1")
    (tmp_path / "000Admin" / "0000000001").write_bytes(transaction("crash.pdb\\3249D99D0C4049318610F4E4FB0B69361"))
    (tmp_path / LISTED).parent.mkdir(parents=True)
    (tmp_path / LISTED).write_bytes(b"pdb")
    source = opened(type="filesystem", path=str(tmp_path), layout={"type": "symstore"}, has_index=True)

    [(_, location)] = source.locate(CRASH, TYPES)
    target = io.BytesIO()
    source.fetch(location, CRASH, target, Deadline.after(5))

    assert target.getvalue() == b"pdb"
