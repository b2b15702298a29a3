"""When Apple refuses, is slow, or is not Apple at all: what is told, when it is tried again, what is never done."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from core.blobs import StoreFull
from debugfiles.appstore import archives, services
from debugfiles.appstore import importing as runs
from debugfiles.appstore.models import AppStoreBuild, AppStoreImport
from debugfiles.models import DebugFile
from sources.models import SymbolSource
from sources.types.app_store_connect import client
from tests.debugfiles.appstore.apple import packed, source
from tests.debugfiles.appstore.conftest import P, archive, dsym, symbols
from tests.debugfiles.appstore.test_importing import counts
from tests.engine.webserver import hang, raw, reply

pytestmark = pytest.mark.django_db


def wait_of(status):
    return datetime.fromisoformat(status["nextImport"]) - timezone.now()


def about(wanted):
    """A time span that is `wanted`, give or take the time of the test."""
    return pytest.approx(wanted.total_seconds(), abs=20)


def errors(code):
    return json.dumps({"errors": [{"status": "403", "code": code, "title": "canary-title"}]}).encode()


REFUSALS = [
    ("401 Unauthorized", b"{}", "refused", "key_refused", timedelta(days=1)),
    ("403 Forbidden", errors("FORBIDDEN_ERROR"), "refused", "forbidden", timedelta(days=1)),
    (
        "403 Forbidden",
        errors("FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED"),
        "refused",
        "agreement",
        timedelta(days=1),
    ),
    ("400 Bad Request", errors("PARAMETER_ERROR.INVALID"), "delayed", "answer", timedelta(minutes=5)),
    ("500 Internal Server Error", b"", "delayed", "unavailable", timedelta(minutes=5)),
    ("200 OK", b"<html>canary-title</html>", "delayed", "answer", timedelta(minutes=5)),
    ("200 OK", b'{"data": {"a": "canary-title"}}', "delayed", "answer", timedelta(minutes=5)),
    ("200 OK", b"[" * 100_000, "delayed", "answer", timedelta(minutes=5)),
]


@pytest.mark.parametrize(("line", "body", "state", "code", "wait"), REFUSALS)
def test_a_refusal_is_told_with_a_remedy_and_not_hammered(apple, importing, line, body, state, code, wait):
    apple.refuse = reply(line, body)

    status = importing()

    assert (status["state"], status["error"]["code"]) == (state, code)
    assert status["error"]["remedy"].endswith(".")
    assert "canary" not in json.dumps(status)
    assert wait_of(status).total_seconds() == about(wait)
    assert len(apple.api.asked) == 1


@pytest.mark.parametrize("act", [hang, raw(*[b"H"] * 50, pause=0.05)], ids=["silent", "dripping"])
def test_a_server_that_takes_its_time_is_given_up(apple, importing, monkeypatch, act):
    monkeypatch.setattr(client, "REQUEST_SECONDS", 0.3)
    apple.refuse = act
    began = time.monotonic()
    status = importing()
    assert (status["state"], status["error"]["code"]) == ("delayed", "unreachable")
    assert time.monotonic() - began < 5


def test_an_archive_that_drips_is_given_up(apple, importing, monkeypatch):
    monkeypatch.setattr(runs, "ARCHIVE_SECONDS", 0.3)
    apple.add("1.0", archive(1))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    apple.cache.routes["/build-1.0-0.zip"] = raw(head, *[b"x"] * 50, pause=0.05)
    (trouble,) = importing()["troubles"]
    assert "timed out" in trouble["text"]


def test_who_is_asked_again_and_again_is_asked_less_often(apple, importing):
    apple.refuse = reply("503 Service Unavailable")
    waits = [wait_of(importing()).total_seconds() for _ in range(9)]
    assert waits[:4] == [about(timedelta(minutes=minutes)) for minutes in (5, 10, 20, 40)]
    assert waits[-1] == about(timedelta(hours=6))
    apple.refuse = None
    assert importing()["error"] is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [("1800", timedelta(minutes=30)), ("0", timedelta(minutes=1)), ("999999999", timedelta(hours=6))],
)
def test_what_apple_asks_to_wait_is_waited_also_when_somebody_is_impatient(apple, api, importing, header, wait):
    apple.refuse = reply("429 Too Many Requests", Retry_After=header)
    status = importing()
    assert (status["state"], status["error"]["code"]) == ("delayed", "rate_limited")
    assert wait_of(status).total_seconds() == about(wait)

    asked = api.post(f"{P}app-store-connect/our-app/import/")

    assert asked.status_code == 202
    assert asked.json()["nextImport"] == status["nextImport"]
    assert importing(due=False)["nextImport"] == status["nextImport"]
    assert len(apple.api.asked) == 1


def test_the_last_of_the_quota_is_left_to_others(apple, importing):
    apple.page_size, apple.quota = 1, "user-hour-lim:3600;user-hour-rem:100;"
    for number in (1, 2):
        apple.add(f"1.{number}", archive(number), day=number)
    status = importing()
    assert (status["error"]["code"], len(apple.api.asked)) == ("rate_limited", 1)
    assert wait_of(status).total_seconds() == about(timedelta(minutes=15))


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/v1/builds?x=1",
        "http://169.254.169.254/v1/builds",
        "file:///etc/passwd",
        "//evil.example/v1/builds?a",
        "http://[::1",
    ],
)
def test_a_list_that_goes_on_elsewhere_is_not_followed(apple, importing, link):
    apple.add("1.0", archive(1))
    apple.next_link = link
    status = importing()
    assert (status["error"]["code"], counts(status)) == ("answer", {})
    assert "another address" in status["error"]["text"]


@pytest.mark.parametrize(
    "odd",
    [
        "{base}\\@evil.example/v1/builds?x=1",
        "http://user@{host}/v1/builds?x=1",
        "http://evil.example\\@{host}/v1/builds?x=1",
        "{base}/v1/apps?x=1",
    ],
)
def test_readers_of_urls_that_disagree_gain_nothing(apple, importing, odd):
    apple.next_link = odd.format(base=apple.url, host=apple.url.removeprefix("http://"))
    assert importing()["error"]["code"] == "answer"
    assert len(apple.api.asked) == 2


def test_a_list_without_an_end_is_left(apple, importing):
    apple.add("1.0", archive(1))
    apple.next_link = f"{apple.url}/v1/builds?filter[app]=1234567890&include=buildBundles&sort=-uploadedDate"
    assert importing()["state"] == "ok"
    assert len(apple.api.asked) <= 4


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://user:canary@127.0.0.1/x",
        "https://",
        "http://10.1.2.3/x",
    ],
)
def test_an_archive_at_an_odd_address_is_not_fetched(apple, importing, url):
    apple.add("1.0", archive(1))
    apple.link("build-1.0-0", url)
    status = importing()
    assert counts(status) == {"seen": 1, "pending": 1}
    assert (status["state"], DebugFile.objects.count()) == ("ok", 0)
    (trouble,) = status["troubles"]
    assert "not one of the web" in trouble["text"] or "restricted" in trouble["text"]
    assert "169" not in trouble["text"]
    assert "canary" not in trouble["text"]


def test_with_https_for_the_api_archives_come_by_https_alone(apple, settings, importing, monkeypatch):
    apple.add("1.0", archive(1))
    monkeypatch.setattr(runs, "fetch_archive", lambda *_, plain: pytest.fail("asked") if plain else None)
    settings.ENVIRONMENT = {**settings.ENVIRONMENT, "APP_STORE_CONNECT_URL": "https://127.0.0.1:1"}
    assert importing()["error"]["code"] == "unreachable"


def test_a_redirect_into_the_own_network_is_not_followed(apple, importing):
    apple.add("1.0", archive(1))
    apple.cache.routes["/build-1.0-0.zip"] = reply("302 Found", Location="http://169.254.169.254/latest/")
    (trouble,) = importing()["troubles"]
    assert "restricted" in trouble["text"]


def test_a_network_that_is_not_allowed_is_not_asked(apple, settings, importing):
    settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ()}
    status = importing()
    assert (status["error"]["code"], apple.api.asked) == ("unreachable", [])
    assert "ALLOWED_SOURCE_NETWORKS" in status["error"]["remedy"]


def bomb():
    return packed(dsym("lib", bytes(100 << 20)))


def crowd():
    return packed({f"a.dSYM/Contents/Resources/DWARF/{number}": b"" for number in range(10_000)})


def encrypted():
    content = bytearray(packed({"a.dSYM/Contents/Resources/DWARF/a": symbols(1)}))
    for mark, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        content[content.find(mark) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bomb, "credible"),
        (crowd, "more than 5000"),
        (lambda: b"nonsense", "cannot be read"),
        (lambda: b"", "cannot be read"),
        (lambda: packed({"readme.txt": b"x"}), "no dSYM bundle"),
        (lambda: archive(1)[:-30], "cannot be read"),
    ],
)
def test_a_hostile_archive_is_refused_before_it_is_unpacked(apple, importing, content, words):
    apple.add("1.0", content())
    apple.add("2.0", archive(2), day=2)
    status = importing()
    assert counts(status) == {"seen": 2, "imported": 1, "pending": 1}
    (trouble,) = status["troubles"]
    assert words in trouble["text"]
    assert wait_of(status).total_seconds() == about(services.AGAIN)


def test_an_encrypted_file_is_left_out(apple, importing):
    content = packed({**dsym("zz", symbols(2))})
    apple.add("1.0", encrypted())
    apple.add("1.1", content)
    assert counts(importing()) == {"seen": 2, "imported": 2}
    assert AppStoreBuild.objects.get(version="1.0").skipped == 1


def test_ten_thousand_files_of_which_few_matter_are_no_problem(apple, importing):
    files = {f"a.dSYM/Contents/Resources/Relocations/{number}.yml": b"x" for number in range(10_000)}
    apple.add("1.0", packed({**files, **dsym("lib", symbols(1))}))
    assert counts(importing()) == {"seen": 1, "imported": 1}


def test_an_archive_larger_than_allowed_is_cut_off(apple, settings, importing):
    settings.ENVIRONMENT = {**settings.ENVIRONMENT, "MAX_DOWNLOAD_BYTES": 1000}
    apple.add("1.0", packed({**dsym(), "padding": bytes(range(256)) * 100}, compresslevel=0))
    (trouble,) = importing()["troubles"]
    assert "MAX_DOWNLOAD_BYTES" in trouble["text"]


def test_a_build_that_fails_too_often_is_set_aside_until_somebody_asks(apple, api, importing):
    apple.add("1.0", b"nonsense")
    for _ in range(services.MOST_ATTEMPTS):
        status = importing()
    assert counts(status) == {"seen": 1, "failed": 1}
    assert status["troubles"][0]["attempts"] == services.MOST_ATTEMPTS
    importing()
    assert len(apple.fetched) == services.MOST_ATTEMPTS

    apple.cache.routes["/build-1.0-0.zip"] = reply(body=archive(1))
    status = api.post(f"{P}app-store-connect/our-app/import/").json()
    assert counts(status) == {"seen": 1, "pending": 1}
    assert counts(importing(due=False)) == {"seen": 1, "imported": 1}


def test_a_build_at_which_the_process_dies_is_set_aside(apple, importing, monkeypatch):
    apple.add("1.0", archive(1))
    monkeypatch.setattr(runs, "fetch_archive", dies)
    for _ in range(services.MOST_ATTEMPTS):
        with pytest.raises(SystemExit):
            importing()
    status = importing()
    assert counts(status) == {"seen": 1, "failed": 1}
    assert "ended each time" in status["troubles"][0]["text"]


def dies(*_, **__):
    raise SystemExit


def test_a_full_store_delays_the_import_and_blames_no_build(apple, importing, monkeypatch):
    apple.add("1.0", archive(1))
    monkeypatch.setattr(archives.services, "store_debug_file", full)
    status = importing()
    assert (status["state"], status["error"]["code"]) == ("delayed", "store")
    assert AppStoreBuild.objects.get().attempts == 0


def full(**_):
    raise StoreFull


def test_a_network_of_caches_that_is_down_ends_the_run(apple, importing):
    for number in range(1, 6):
        apple.add(f"1.{number}", archive(number), day=number)
        apple.link(f"build-1.{number}-0", "http://127.0.0.1:1/x.zip")
    status = importing()
    assert (status["error"]["code"], counts(status)) == ("unreachable", {"seen": 5, "pending": 5})
    assert sum(AppStoreBuild.objects.values_list("attempts", flat=True)) == runs.IN_A_ROW


def test_a_fault_of_ours_is_told_and_waits(apple, importing, monkeypatch, caplog):
    monkeypatch.setattr(runs.builds, "record_page", lambda *_: 1 / 0)
    status = importing()
    assert (status["error"]["code"], status["state"]) == ("internal", "delayed")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"appconnectKey": None}, "incomplete"), ({"appconnectPrivateKey": "no key"}, "key_unreadable")],
)
def test_a_source_that_is_not_complete_asks_nobody_and_says_what_is_missing(apple, api, changes, code):
    response = api.post(f"{P}symbol-sources/", source(**changes))
    runs.run_import(AppStoreImport.objects.get().pk)
    (status,) = api.get(f"{P}app-store-connect/").json()
    assert (status["state"], status["error"]["code"], status["nextImport"]) == ("not_configured", code, None)
    assert apple.api.asked == []
    assert ("Warning" in response) == (code == "incomplete")
    # Made complete, it is imported at once.
    api.put(f"{P}symbol-sources/?id=our-app", source())
    runs.run_import(AppStoreImport.objects.get().pk)
    assert AppStoreImport.objects.get().state == "ok"


def test_an_app_that_the_key_does_not_see(apple, api):
    api.post(f"{P}symbol-sources/", source(appId="999"))
    runs.run_import(AppStoreImport.objects.get().pk)
    (status,) = api.get(f"{P}app-store-connect/").json()
    assert (status["state"], status["error"]["code"]) == ("refused", "app_missing")


def test_a_key_that_apple_does_not_know(apple, importing):
    apple.public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert importing()["error"]["code"] == "key_refused"
    assert apple.problems == ["the signature"]


def test_a_secret_that_cannot_be_decrypted(apple, importing):
    SymbolSource.objects.update(secrets=b"nonsense")
    assert importing()["error"]["code"] == "key_unreadable"
    assert apple.api.asked == []
