"""Debug files on a Sentry-compatible server: a small one that keeps to its API, and ones that do not."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.errors import FailureKind, LookupFailure
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import BadSource
from engine.sourcetypes.sentry import source as sentry_source
from engine.sourcetypes.sentry.listing import ListedFile, Listings, parse_listing
from tests.engine.sourcetypes.asking import CANARY, LIBRARY, configured, fetch, opened, refused, unreachable
from tests.engine.webserver import hang, raw, reply, web_server

DSYMS = "/api/0/projects/o/p/files/dsyms/"
ELF_FILES = [FileType.ELF_CODE, FileType.ELF_DEBUG]


class DebugFiles:
    """The endpoint of a project's debug files: lists by ids, gives by `id`, and wants the token."""

    def __init__(self, *files):
        self.files = [{"cpuName": "x86_64", "size": 3, **file} for file in files]
        self.token = "Bearer token"

    def __call__(self, asked, connection):
        query = parse_qs(urlsplit(asked.target).query)
        if self.token not in (asked.headers.get("authorization"), asked.headers.get("cookie")):
            answer = reply("401 Unauthorized", b'{"detail": "Invalid token"}')
        elif "id" in query:
            answer = self._give(query["id"][0])
        else:
            answer = reply(body=json.dumps(self._list(query)).encode())
        answer(asked, connection)

    def _give(self, file_id):
        found = [file for file in self.files if file["id"] == file_id]
        return reply(body=f"content of {file_id}".encode()) if found else reply("404 Not Found")

    def _list(self, query):
        by_debug_id = [file for file in self.files if file.get("debugId") in query.get("debug_id", [])]
        return by_debug_id or [file for file in self.files if file.get("codeId") in query.get("code_id", [])]


@pytest.fixture
def server():
    with web_server() as made:
        made.routes[DSYMS] = DebugFiles(
            {"id": "1", "symbolType": "elf", "debugId": str(LIBRARY.debug_id)},
            {"id": "2", "symbolType": "sourcebundle", "debugId": str(LIBRARY.debug_id)},
            {"id": "3", "symbolType": "holograms", "debugId": str(LIBRARY.debug_id)},
            {"id": "4", "symbolType": "pe", "codeId": "5ab380779000"},
        )
        yield made


def sentry(server, *, owner="acme", path=DSYMS, **fields):
    return opened(owner=owner, type="sentry", url=server.url + path, **({"token": "token"} | fields))


def offered(source, wanted=LIBRARY, file_types=ELF_FILES, seconds=10.0):
    found = source.locate(wanted, file_types, Deadline.after(seconds))
    return [(file_type, location.uri) for file_type, location in found]


def failure_of(source, **options):
    with pytest.raises(LookupFailure) as caught:
        offered(source, **options)
    return caught.value.kind, caught.value.details


def test_files_are_listed_by_ids_and_fetched_by_theirs(server):
    source = sentry(server, owner="listing")

    assert offered(source) == [(FileType.ELF_CODE, "sentry://project_debug_file/1")]
    assert fetch(source) == b"content of 1"
    assert server.paths == [f"{DSYMS}?debug_id={LIBRARY.debug_id}&code_id=abcdef", f"{DSYMS}?id=1"]
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer token"}


def test_only_files_of_the_wanted_types_are_offered_each_once_and_in_order(server):
    source = sentry(server, owner="types")

    assert offered(source, file_types=[FileType.PDB, FileType.SOURCE_BUNDLE, *ELF_FILES]) == [
        (FileType.SOURCE_BUNDLE, "sentry://project_debug_file/2"),
        (FileType.ELF_CODE, "sentry://project_debug_file/1"),
    ]


def test_a_kind_of_file_that_is_not_known_spoils_nothing(server):
    assert parse_listing(b'[{"id": "1", "symbolType": "new", "x": 1}, {"id": "2", "symbolType": "elf"}]') == (
        ListedFile("2", frozenset(ELF_FILES)),
    )


def test_cookies_take_the_place_of_a_token(server):
    server.routes[DSYMS].token = "session=abc; other=1"
    source = sentry(server, owner="cookies", token="", cookies={"session": "abc", "other": "1"})

    assert fetch(source) == b"content of 1"


@pytest.mark.parametrize(
    ("wanted", "question"),
    [
        (Wanted(ModuleType.ELF, "abcdef"), "code_id=abcdef"),
        (
            Wanted(ModuleType.PE, None, debug_id=DebugId.parse("b" * 32 + "1f")),
            f"debug_id={DebugId.parse('b' * 32)}-1f",
        ),
    ],
)
def test_ids_are_appended_to_the_query_that_is_there(server, wanted, question):
    offered(sentry(server, path=f"{DSYMS}?_last_upload=17&x=%2F", owner=question), wanted)

    assert server.paths == [f"{DSYMS}?_last_upload=17&x=%2F&{question}"]


def test_a_module_without_ids_asks_nothing(server):
    assert offered(sentry(server), Wanted(ModuleType.ELF, None, "/lib/x.so", None, "x.so")) == []
    assert server.paths == []


def test_a_list_is_kept_for_an_hour_and_an_upload_changes_the_address(server):
    offered(sentry(server, owner="kept"))
    offered(sentry(server, owner="kept"))
    assert len(server.asked) == 1

    offered(sentry(server, owner="kept", path=f"{DSYMS}?_last_upload=2"))
    assert len(server.asked) == 2


def test_another_organization_or_token_gets_a_list_of_its_own(server):
    assert offered(sentry(server, owner="first"))
    assert failure_of(sentry(server, owner="first", token="other")) == refused("401 Unauthorized")
    assert offered(sentry(server, owner="second"))
    assert len(server.asked) == 3


def test_failures_are_not_kept(server):
    source = sentry(server, owner="failing")
    route, server.routes[DSYMS] = server.routes[DSYMS], reply("403 Forbidden")
    assert failure_of(source) == refused("403 Forbidden")

    server.routes[DSYMS] = route
    assert offered(source)


@pytest.mark.parametrize(
    ("answer", "expected", "tries"),
    [
        (reply("401 Unauthorized"), refused("401 Unauthorized"), 1),
        (reply("302 Found"), refused("Potential login page detected"), 1),
        (reply("404 Not Found"), (FailureKind.NOT_FOUND, ""), 1),
        (reply("500 X"), unreachable("500 X"), 3),
        (raw(b"nothing of use\r\n"), unreachable("the connection broke off"), 3),
        (reply(body=b"<html>login</html>"), (FailureKind.MALFORMED, "the list of files is not as agreed"), 3),
        (reply(body=b'{"detail": "x"}'), (FailureKind.MALFORMED, "the list of files is not as agreed"), 3),
        (
            reply(body=b'[{"id": 1, "symbolType": "elf"}]'),
            (FailureKind.MALFORMED, "the list of files is not as agreed"),
            3,
        ),
        (reply(body=b'[{"id": "1"}]'), (FailureKind.MALFORMED, "the list of files is not as agreed"), 3),
        (reply(body=b"[" * 100_000), (FailureKind.MALFORMED, "the list of files is not as agreed"), 3),
        (
            reply(body=b'[{"id": "a\\u0000b", "symbolType": "elf"}]'),
            (FailureKind.MALFORMED, "the list of files holds an id that cannot be one"),
            3,
        ),
        (reply(body=b"[" + b" " * (5 << 20)), (FailureKind.TOO_LARGE, "the answer is larger than allowed"), 3),
    ],
)
def test_a_list_that_cannot_be_had_is_a_failure(server, answer, expected, tries):
    server.routes[DSYMS] = answer

    assert failure_of(sentry(server, owner=str(expected))) == expected
    assert len(server.asked) == tries


def test_listing_has_an_end(server, monkeypatch):
    monkeypatch.setattr(sentry_source, "LIST_SECONDS", 0.4)
    server.routes[DSYMS] = hang

    assert failure_of(sentry(server, owner="hanging"))[0] is FailureKind.TIMED_OUT


def test_ids_are_escaped_where_they_are_asked_for(server):
    server.routes[DSYMS] = DebugFiles({"id": "a&id=2#/..", "symbolType": "elf", "debugId": str(LIBRARY.debug_id)})

    assert fetch(sentry(server, owner="escaped")) == b"content of a&id=2#/.."


def test_the_token_does_not_follow_to_another_host(server):
    with web_server() as other:
        other.default = reply(body=b"[]")
        server.routes[DSYMS] = reply("302 Found", Location=f"{other.url}/list")
        offered(sentry(server, owner="redirected", token=CANARY))

        assert CANARY in str(server.asked)
        assert CANARY not in str(other.asked)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"token": "a\r\nX: y"}, "sources[0].token: holds characters that no token can have"),
        ({"cookies": {"a": "b\nc"}}, "sources[0].cookies: holds characters that no cookie can have"),
    ],
)
def test_credentials_that_fit_no_header_are_a_mistake(fields, problem):
    with pytest.raises(BadSource) as caught:
        configured(type="sentry", url="https://x/", **fields)
    assert caught.value.message == problem


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr("engine.sourcetypes.sentry.listing.KEPT_FILES", 10)
    listings, asked = Listings(), []

    def ask(number):
        def answer():
            asked.append(number)
            return (ListedFile("1", frozenset()),) * 4

        return answer

    for number in (1, 2, 1, 3, 1, 2):
        listings.get(("source", str(number)), ask(number))

    assert asked == [1, 2, 3, 2]


def test_what_is_kept_grows_old():
    now, asked = [0.0], []
    listings = Listings(clock=lambda: now[0])
    for moment in (0.0, 3599.0, 3601.0):
        now[0] = moment
        listings.get(("source", "question"), lambda: asked.append(now[0]) or ())

    assert asked == [0.0, 3601.0]
