"""Why a module has no names: what was found, who refused, and what people read."""

from __future__ import annotations

import itertools
import string
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.lookup.absences import Absence
from engine.lookup.diagnosis import ASPECTS, Aspect, Verdict
from engine.modules import ModuleType
from symbolication import runtime
from symbolication.remedies import ADVICE, NOTES, wanted_file
from tests.cast import Api
from tests.engine.webserver import WebServer, reply, web_server
from tests.sources.helpers import APPLE, S3
from tests.symbolication import symbolserver
from tests.symbolication.diagnosed import (
    LEDGER,
    PASSWORD,
    PROJECT,
    diagnosis_of,
    module_of,
    seconds_until,
    store,
    symbolicate,
)
from tests.symbolication.requests import LEDGER_ADDRESS, http_source, ledger, stored_source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment", "acme_project")]


class TestWords:
    def test_every_verdict_with_every_aspect_has_a_cause_and_a_remedy(self) -> None:
        assert set(ADVICE) == {(verdict, aspect) for verdict in Verdict for aspect in ASPECTS[verdict]}
        for advice in ADVICE.values():
            assert advice.cause.endswith(".")
            assert advice.remedy.endswith(".")

    def test_the_words_to_fill_in_are_known(self) -> None:
        known = {"source", "host", "path", "details", "module", "file", "until"}
        texts = itertools.chain.from_iterable((advice.cause, advice.remedy) for advice in ADVICE.values())
        assert {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name} <= known

    def test_every_aspect_belongs_to_some_verdict(self) -> None:
        assert set(itertools.chain.from_iterable(ASPECTS.values())) == set(Aspect)

    def test_every_absence_has_a_note_and_every_module_type_a_file(self) -> None:
        assert set(NOTES) == set(Absence)
        assert all(wanted_file(module_type) for module_type in ModuleType)


class TestFound:
    def test_a_module_that_was_found_is_diagnosed_when_all_candidates_are_asked_for(
        self, api: Api, server: WebServer, library: bytes
    ) -> None:
        server.routes[LEDGER] = reply(body=library)
        store(api, stored_source(server.url))

        found = diagnosis_of(api, "found", "libledger.so", "“builds”", candidates=True)

        [source] = found["sources"]
        assert (source["id"], source["name"]) == ("builds", "builds")
        [used] = [row for row in source["tries"] if row["status"] == "found"]
        assert used["path"] == symbolserver.LEDGER
        assert -30 < seconds_until(used["fetched_at"]) <= 0
        assert (used["expires_at"], used["next_try_at"]) == (None, None)
        missed = [row for row in source["tries"] if row["status"] == "not_found"]
        assert missed
        for row in missed:
            assert 86_300 < seconds_until(row["expires_at"]) <= 86_400
            assert row["next_try_at"] == row["expires_at"]

    def test_otherwise_it_is_not(self, api: Api, server: WebServer, library: bytes) -> None:
        server.routes[LEDGER] = reply(body=library)
        store(api, stored_source(server.url))

        module = module_of(api)

        assert module["debug_status"] == "found"
        assert "diagnosis" not in module

    def test_modules_that_no_frame_touches_have_none(self, api: Api) -> None:
        body = ledger()
        body["stacktraces"] = []
        assert "diagnosis" not in symbolicate(api, body)["modules"][0]

    def test_a_file_of_another_build_is_used_with_a_warning(self, api: Api, server: WebServer, library: bytes) -> None:
        server.routes["/00/11"] = reply(body=library)
        store(api, stored_source(server.url))

        module = module_of(api, code_id="0011", debug_id="00000000-0000-0000-0000-000000000001")

        assert module["debug_status"] == "found"
        assert module["diagnosis"]["verdict"] == "wrong_id"
        assert "another build" in module["diagnosis"]["cause"]
        assert "wrong_id" in {row["status"] for row in module["diagnosis"]["sources"][0]["tries"]}


class TestNotFound:
    def test_nobody_has_it(self, api: Api, server: WebServer) -> None:
        store(api, stored_source(server.url))

        found = diagnosis_of(api, "not_found", "libledger.so", "layout", "purging")

        assert {row["status"] for row in found["sources"][0]["tries"]} == {"not_found"}

    def test_a_source_that_was_left_out_is_named(self, api: Api, server: WebServer) -> None:
        store(api, stored_source(server.url), APPLE)

        found = diagnosis_of(api, "not_found", "Repair the sources that were left out")

        apple = found["sources"][-1]
        assert (apple["id"], apple["tries"]) == ("app", [])
        assert apple["note"].startswith("Left out: files are imported from it")

    def test_a_stripped_file_is_not_enough(self, api: Api, server: WebServer, library: bytes) -> None:
        server.routes[LEDGER] = reply(body=bare_elf(library))
        store(api, stored_source(server.url))

        diagnosis_of(api, "no_debug_info", "stripped", ".debug")


def bare_elf(library: bytes) -> bytes:
    """The headers and segments of a 64-bit ELF file, without any section."""
    cut = bytearray(library)
    cut[40:48] = bytes(8)
    cut[58:64] = bytes(6)
    # Without PT_DYNAMIC nobody finds the dynamic symbols.
    start, size, count = (
        int.from_bytes(cut[32:40], "little"),
        int.from_bytes(cut[54:56], "little"),
        int.from_bytes(cut[56:58], "little"),
    )
    for number in range(count):
        at = start + number * size
        if int.from_bytes(cut[at : at + 4], "little") == 2:
            cut[at : at + 4] = bytes(4)
    return bytes(cut)


class TestRefused:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (reply("401 Unauthorized"), ["401 Unauthorized", "Enter the credentials"]),
            (reply("403 Forbidden"), ["403 Forbidden", "right to read"]),
            (reply("302 Found"), ["login page"]),
        ],
    )
    def test_a_web_server_refuses(self, api: Api, server: WebServer, answer: Any, words: list[str]) -> None:
        server.default = answer
        store(api, stored_source(server.url, username="builder", password=PASSWORD))

        diagnosis_of(api, "refused", "“builds” (127.0.0.1)" if words[0] != "login page" else "“builds”", *words)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("AccessDenied", ["may not list", "s3:ListBucket"]),
            ("NoSuchBucket", ["bucket symbols", "does not exist"]),
            ("InvalidAccessKeyId", ["Enter the credentials"]),
            ("PermanentRedirect", ["region"]),
        ],
    )
    def test_a_bucket_refuses(self, api: Api, server: WebServer, code: str, words: list[str]) -> None:
        server.default = reply("403 Forbidden", f"<Error><Code>{code}</Code></Error>".encode())
        store(api, S3 | {"secret_key": PASSWORD, "region": ["local", server.url], "layout": {"type": "native"}})

        diagnosis_of(api, "refused", "“Bucket”", *words)

    def test_a_bucket_that_may_be_listed_and_not_read(self, api: Api, server: WebServer) -> None:
        listing = b"<ListBucketResult><Name>symbols</Name></ListBucketResult>"
        server.default = reply("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
        server.routes["/symbols"] = reply(body=listing)
        store(api, S3 | {"secret_key": PASSWORD, "region": ["local", server.url], "layout": {"type": "native"}})

        diagnosis_of(api, "refused", "s3:GetObject")


def test_the_worst_obstacle_decides_and_every_source_is_told(api: Api, server: WebServer) -> None:
    with web_server() as empty:
        server.default = reply("403 Forbidden")
        store(api, stored_source(empty.url, "first"), stored_source(server.url, "second"))

        found = diagnosis_of(api, "refused", "“second”")

        assert [(row["id"], row["tries"][0]["status"]) for row in found["sources"]] == [
            ("first", "not_found"),
            ("second", "refused"),
        ]


def test_a_source_is_called_by_its_name(api: Api, server: WebServer) -> None:
    server.default = reply("403 Forbidden")
    store(api, stored_source(server.url) | {"name": "Nightly builds {host}"})

    found = module_of(api)["diagnosis"]

    assert "“Nightly builds {host}”" in found["cause"]


def test_a_new_name_is_used_at_once(api: Api, server: WebServer) -> None:
    server.default = reply("403 Forbidden")
    store(api, stored_source(server.url))
    assert "“builds”" in module_of(api)["diagnosis"]["cause"]

    api.put(f"{PROJECT}symbol-sources/?id=builds", stored_source(server.url) | {"name": "Renamed"})

    assert "“Renamed”" in module_of(api)["diagnosis"]["cause"]


def test_the_root_endpoint_says_what_symbolicator_says_and_no_more(api: Api, server: WebServer) -> None:
    server.default = reply("403 Forbidden")
    answer = api.post("/symbolicate", ledger(sources=[http_source(server.url)])).json()

    assert "diagnosis" not in answer["modules"][0]
    assert set(answer["modules"][0]["candidates"][0]) == {"source", "location", "download"}


def test_a_pending_answer_has_the_diagnosis_too(api: Api, server: WebServer) -> None:
    store(api, stored_source(server.url))
    body = ledger()
    waiting = api.post(f"{PROJECT}symbolicate/?timeout=30", body).json()
    assert waiting["modules"][0]["diagnosis"]["verdict"] == "not_found"
    assert body["stacktraces"][0]["frames"] == [{"instruction_addr": LEDGER_ADDRESS}]


def test_times_are_those_of_the_cache_and_stay(api: Api, server: WebServer) -> None:
    store(api, stored_source(server.url))
    first = module_of(api)["diagnosis"]
    asked = len(server.asked)
    runtime._forget()

    assert module_of(api)["diagnosis"] == first
    assert len(server.asked) == asked
    fetched = datetime.fromisoformat(first["sources"][0]["tries"][0]["fetched_at"])
    assert abs((datetime.now(UTC) - fetched).total_seconds()) < 60
