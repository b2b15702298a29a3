"""Symbol servers on the web: what is sent, and what is made of the answers."""

from __future__ import annotations

import io
import random

import pytest

from engine.errors import FailureKind, LookupFailure
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline, Trust, connections, pieces
from engine.sourcetypes import tries
from engine.sourcetypes.base import FileType, Location
from engine.sourcetypes.blocked import BlockedHosts
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.webserver import LOOPBACK, hang, raw, reply

LIBRARY = Wanted(ModuleType.ELF, "abcdef", "/lib/x y%/l#ib?.so", DebugId.parse("a" * 32), "lib.so")


def web_source(server, *, owner="acme", trust=LOOPBACK, base="/s", **fields):
    configs = decode_sources([{"id": "web", "type": "http", "url": server.url + base} | fields], operator=True)
    return open_source(configs[0], owner=owner, trust=trust, digest_key=b"k")


def fetch(source, wanted=LIBRARY, seconds=10.0):
    target = io.BytesIO()
    [(_, location)] = source.locate(wanted, [FileType.ELF_CODE])
    source.fetch(location, wanted, target, Deadline.after(seconds))
    return target.getvalue()


def failure_of(source, **options):
    with pytest.raises(LookupFailure) as caught:
        fetch(source, **options)
    return caught.value.kind, caught.value.details


def test_a_file_is_asked_for_below_the_base_url_with_the_configured_headers(server):
    server.routes["/s/ab/cdef"] = reply(body=b"content")

    assert fetch(web_source(server, headers={"X-Key": "v", "Content-Length": "5"})) == b"content"
    assert server.asked[0].headers["x-key"] == "v"
    assert "content-length" not in server.asked[0].headers


def test_the_path_is_encoded_segment_by_segment(server):
    source = web_source(server, base="//a//b/?sig=1#part", layout={"type": "symstore"})

    [(_, location)] = source.locate(LIBRARY, [FileType.ELF_CODE])

    assert location.uri == f"{server.url}/a/b/l%23ib%3F.so/elf-buildid-abcdef/l%23ib%3F.so"
    server.routes["/a/b/l%23ib%3F.so/elf-buildid-abcdef/l%23ib%3F.so"] = reply(body=b"x")
    assert fetch(source) == b"x"
    assert server.paths == ["/a/b/l%23ib%3F.so/elf-buildid-abcdef/l%23ib%3F.so?sig=1"]


def test_user_and_password_of_the_url_are_sent_and_not_shown(server):
    host = server.url.removeprefix("http://")
    configs = decode_sources([{"id": "web", "type": "http", "url": f"http://us%40er:pass@{host}/"}], operator=False)
    source = open_source(configs[0], owner="acme", trust=LOOPBACK, digest_key=b"k")
    server.default = reply(body=b"x")

    fetch(source)

    assert server.asked[0].headers["authorization"] == "Basic dXNAZXI6cGFzcw=="
    assert "pass" not in source.locate(LIBRARY, [FileType.ELF_CODE])[0][1].uri


def test_the_checksum_of_the_module_is_sent(server):
    server.default = reply(body=b"x")
    for checksum in ("SHA256:abc", "bad\r\nX-Evil: 1"):
        fetch(web_source(server), Wanted(ModuleType.ELF, "abcdef", debug_checksum=checksum))

    assert [asked.headers.get("symbolchecksum") for asked in server.asked] == ["SHA256:abc", None]
    assert "x-evil" not in server.asked[1].headers


@pytest.mark.parametrize(
    ("status", "kind", "details", "tries"),
    [
        ("401 Unauthorized", FailureKind.REFUSED, "401 Unauthorized", 1),
        ("403 Forbidden", FailureKind.REFUSED, "403 Forbidden", 1),
        ("404 Not Found", FailureKind.NOT_FOUND, "", 1),
        ("410 Gone", FailureKind.NOT_FOUND, "", 1),
        ("429 Too Many Requests", FailureKind.NOT_FOUND, "", 1),
        ("302 Found", FailureKind.REFUSED, "Potential login page detected", 1),
        ("500 Internal Server Error", FailureKind.UNREACHABLE, "download failed: 500 Internal Server Error", 3),
        ("503 Service Unavailable", FailureKind.UNREACHABLE, "download failed: 503 Service Unavailable", 3),
        ("204 No Content", FailureKind.UNREACHABLE, "download failed: 204 No Content", 3),
    ],
)
def test_the_status_decides_what_is_said_and_whether_it_is_tried_again(server, status, kind, details, tries):
    server.default = reply(status)

    assert failure_of(web_source(server)) == (kind, details)
    assert len(server.asked) == tries


def test_a_server_that_recovers_within_three_tries_delivers(server):
    answers = iter(
        [reply("500 Oops"), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbroken"), reply(body=b"whole")]
    )

    def act(asked, connection):
        next(answers)(asked, connection)

    server.default = act

    assert fetch(web_source(server)) == b"whole"


def test_a_server_that_does_not_answer_in_time_is_waited_for_once(server, monkeypatch):
    monkeypatch.setattr(connections, "HEADERS_SECONDS", 0.3)
    server.default = hang

    assert failure_of(web_source(server))[0] is FailureKind.TIMED_OUT
    assert len(server.asked) == 1


def test_a_restricted_destination_is_refused_without_trying_again(server):
    assert failure_of(web_source(server, trust=Trust.NONE)) == (
        FailureKind.UNREACHABLE,
        "download failed: destination is restricted",
    )


def test_a_download_has_an_end_however_often_it_is_tried(server, monkeypatch):
    monkeypatch.setattr(tries, "DOWNLOAD_SECONDS", 0.4)
    server.default = hang

    assert failure_of(web_source(server))[0] is FailureKind.TIMED_OUT


def test_the_end_of_a_whole_download_is_told_in_minutes(server, monkeypatch):
    monkeypatch.setattr(Deadline, "at_most", lambda self, seconds: Deadline.after(0.2))
    server.default = hang

    assert failure_of(web_source(server)) == (FailureKind.TIMED_OUT, "download timed out after 5m")


def test_sixty_failures_within_a_minute_block_the_host_for_an_hour():
    now = [0.0]
    hosts = BlockedHosts(clock=lambda: now[0])
    for number in range(59):
        now[0] = number * 0.9
        hosts.failed(("acme", "h.example"), "E")
    hosts.check(("acme", "h.example"))

    hosts.failed(("acme", "h.example"), "download failed: 500 X")

    with pytest.raises(LookupFailure) as caught:
        hosts.check(("acme", "h.example"))
    assert caught.value.details == (
        "download failed: Host h.example is temporarily blocked because there were too many download failures. "
        "It will remain blocked for a maximum of 1h. "
        "The error that triggered the block was: `download failed: 500 X`."
    )
    hosts.check(("acme", "other.example"))
    now[0] += 3601
    hosts.check(("acme", "h.example"))


def test_failures_spread_over_time_do_not_block():
    now = [0.0]
    hosts = BlockedHosts(clock=lambda: now[0])
    for number in range(600):
        now[0] = number * 1.2
        hosts.failed(("acme", "h.example"), "E")
        hosts.check(("acme", "h.example"))


def test_one_organizations_failures_do_not_block_a_host_for_another():
    hosts = BlockedHosts()
    for _ in range(60):
        hosts.failed(("umbrella", "h.example"), "E")

    hosts.check(("acme", "h.example"))
    with pytest.raises(LookupFailure):
        hosts.check(("umbrella", "h.example"))


def test_absent_and_refused_files_block_nobody_and_errors_do(server):
    source = web_source(server, owner="blocking")
    for status, asked in (("404 Not Found", 30), ("403 Forbidden", 30), ("500 X", 20)):
        server.default = reply(status)
        for _ in range(asked):
            failure_of(source)

    before = len(server.asked)
    assert "temporarily blocked" in failure_of(source)[1]
    assert len(server.asked) == before


def test_hosts_that_the_operator_exempts_are_asked_however_often_they_fail(server):
    def source(owner, never_block):
        config = decode_sources([{"id": "web", "type": "http", "url": server.url}], operator=False)[0]
        return open_source(config, owner=owner, trust=LOOPBACK, digest_key=b"k", never_block=never_block)

    server.default = reply("500 X")
    for owner, never_block in (("exempted", ["127.0.0.1"]), ("not exempted", ["127.0.0.2"])):
        for _ in range(25):
            failure_of(source(owner, never_block))

    assert failure_of(source("exempted", ["127.0.0.1"]))[1] == "download failed: 500 X"
    assert "temporarily blocked" in failure_of(source("not exempted", ["127.0.0.2"]))[1]


def test_big_files_come_in_pieces_and_broken_ones_from_where_they_stopped(server, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100_000)
    content = random.Random(5).randbytes(1_050_000)
    broken = [200_000, 700_000]

    def act(asked, connection):
        first, last = (int(text) for text in asked.headers["range"].removeprefix("bytes=").split("-"))
        part = content[first : last + 1]
        given = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        if first in broken:
            broken.remove(first)
            head = f'HTTP/1.1 206 X\r\nContent-Range: {given}\r\nETag: "e"\r\nContent-Length: {len(part)}\r\n\r\n'
            connection.sendall(head.encode() + part[:70_000])
        else:
            reply("206 Partial Content", part, Content_Range=given, ETag='"e"')(asked, connection)

    server.default = act

    assert fetch(web_source(server)) == content
    assert not broken


def test_the_cache_key_differs_with_owner_endpoint_credentials_and_digest_key():
    def key(owner="acme", digest_key=b"k", **fields):
        source = {"id": "web", "type": "http", "url": "https://x/"} | fields
        return open_source(
            decode_sources([source], operator=True)[0], owner=owner, trust=Trust.NONE, digest_key=digest_key
        ).cache_key

    keys = [
        key(),
        key(owner="umbrella"),
        key(url="https://y/"),
        key(headers={"Authorization": "a"}),
        key(headers={"Authorization": "b"}),
        key(id="web2"),
        key(is_public=True),
        key(digest_key=b"other"),
    ]
    assert len(set(keys)) == len(keys)
    assert key() == keys[0]


def test_only_an_operators_public_source_is_shared():
    def shared(owner, public):
        config = decode_sources(
            [{"id": "web", "type": "http", "url": "https://x/", "is_public": public}], operator=owner == "builtin"
        )[0]
        return open_source(config, owner=owner, trust=Trust.NONE, digest_key=b"k").shared

    assert [shared("builtin", True), shared("builtin", False), shared("acme", True)] == [True, False, False]


def test_a_location_is_a_value():
    assert Location("a", "b") == Location("a", "b")
