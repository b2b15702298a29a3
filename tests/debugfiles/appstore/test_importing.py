"""What an import takes, what it leaves, and what it never does twice."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta
from urllib.parse import unquote

import pytest
from django.utils import timezone

from debugfiles.appstore import builds
from debugfiles.appstore import importing as runs
from debugfiles.appstore.models import AppStoreBuild, AppStoreImport
from debugfiles.models import DebugFile
from engine.errors import DeadlineExceeded
from projects.models import AuditEntry
from tests.debugfiles.appstore.apple import APP_ID, BUNDLE_ID, packed, source
from tests.debugfiles.appstore.conftest import P, archive, dsym, symbols

pytestmark = pytest.mark.django_db

MAP = b"BCSymbolMap Version: 2.0\nmain\n"
UUID = "12345678-1234-4234-8234-123456789ABC"
PLIST = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>DBGOriginalUUID</key>'
    b"<string>67E9247C-814E-392B-A027-DBDE6748FCBF</string></dict></plist>"
)


def counts(status):
    return {name: count for name, count in status["builds"].items() if count}


def names():
    return sorted(DebugFile.objects.values_list("object_name", flat=True))


def test_debug_files_of_every_kind_are_stored(apple, importing):
    files = {**dsym("crash"), **dsym("Frame work", symbols(2))}
    files |= {f"BCSymbolMaps/{UUID}.bcsymbolmap": MAP, "crash.dSYM/Contents/Resources/Relocations/a.yml": b"x"}
    files |= {f"crash.dSYM/Contents/Resources/{UUID}.plist": PLIST, "__MACOSX/crash.dSYM/._x": b"x", "readme.txt": b"x"}
    apple.add("1.0", packed(files))

    status = importing()

    assert apple.problems == []
    assert (status["state"], status["error"], status["appName"]) == ("ok", None, "Our App")
    assert counts(status) == {"seen": 1, "imported": 1}
    assert names() == [f"{UUID}.bcsymbolmap", f"{UUID}.plist", "Frame work", "crash"]
    assert status["files"] == 4
    assert AuditEntry.objects.filter(action="debug_file.uploaded", user_id=None, token_id=None).count() == 4


def test_what_is_asked_for_is_what_apple_documents(apple, importing):
    apple.add("1.0", archive(1))
    importing()
    apps, listing = (unquote(target) for target in apple.api.paths)
    assert apps.startswith(f"/v1/apps?filter[bundleId]={BUNDLE_ID}&")
    assert listing.startswith(f"/v1/builds?filter[app]={APP_ID}&include=buildBundles&")
    assert "limit=200&sort=-uploadedDate" in listing


def test_no_credentials_follow_to_the_archives(apple, importing):
    apple.add("1.0", archive(1))
    importing()
    (asked,) = apple.cache.asked
    assert "authorization" not in asked.headers
    assert "cookie" not in asked.headers


def test_without_a_bundle_id_the_app_is_found_by_its_own(apple, api):
    api.post(f"{P}symbol-sources/", source(bundleId=None))
    runs.run_import(AppStoreImport.objects.get().pk)
    assert AppStoreImport.objects.get().state == "ok"
    assert unquote(apple.api.paths[0]).startswith(f"/v1/apps?filter[id]={APP_ID}&")


def test_all_pages_are_read_and_the_latest_builds_come_first(apple, importing):
    apple.page_size = 2
    for number in range(1, 6):
        apple.add(f"1.{number}", archive(number), day=number)

    status = importing()

    assert counts(status) == {"seen": 5, "imported": 5}
    assert [path.partition(".zip")[0] for path in apple.fetched] == [f"/build-1.{n}-0" for n in (5, 4, 3, 2, 1)]
    assert len([path for path in apple.api.paths if path.startswith("/v1/builds")]) == 3


def test_what_is_imported_is_not_fetched_again_and_old_pages_are_not_read_again(apple, importing):
    apple.page_size = 2
    for number in range(1, 6):
        apple.add(f"1.{number}", archive(number), day=number)
    importing()
    apple.add("1.6", archive(6), day=6)
    before = len(apple.api.asked)

    status = importing()

    assert counts(status) == {"seen": 6, "imported": 6}
    assert len(apple.fetched) == 6
    # The app, the page with the new build, and the page on which nothing is new.
    assert len(apple.api.asked) - before == 3


def test_nothing_is_asked_before_the_import_is_due(apple, importing):
    importing()
    before = len(apple.api.asked)
    status = importing(due=False)
    assert len(apple.api.asked) == before
    wait = datetime.fromisoformat(status["nextImport"]) - timezone.now()
    assert timedelta(minutes=55) < wait <= timedelta(hours=1)


def test_a_build_without_dsym_files_is_asked_for_again(apple, importing):
    apple.add("1.0", None, day=20)
    assert counts(importing()) == {"seen": 1, "waiting": 1}

    apple.offer("build-1.0-0", archive(1))

    assert counts(importing()) == {"seen": 1, "imported": 1}


def test_a_build_that_never_gets_any_is_waited_for_no_longer(apple, importing, monkeypatch):
    apple.add("1.0", None, state="VALID")
    apple.add("2.0", None, state="INVALID")
    monkeypatch.setattr(builds, "WAITED_FOR", timedelta(0))
    AppStoreBuild.objects.update(uploaded_at=timezone.now())
    assert counts(importing()) == {"seen": 2, "without": 2}
    # Should Apple offer them after all, they are taken.
    apple.offer("build-1.0-0", archive(1))
    assert counts(importing()) == {"seen": 2, "imported": 1, "without": 1}


def test_a_part_that_comes_later_is_fetched_alone(apple, importing):
    apple.add("1.0", archive(1), None, day=20)
    assert counts(importing()) == {"seen": 1, "imported": 1}
    apple.offer("build-1.0-1", archive(2))

    assert counts(importing()) == {"seen": 1, "imported": 1}

    assert [path.partition(".zip")[0] for path in apple.fetched] == ["/build-1.0-0", "/build-1.0-1"]
    assert names() == ["lib1", "lib2"]


def test_a_file_of_no_use_is_left_out_and_told(apple, importing):
    apple.add("1.0", packed({**dsym("good"), **dsym("bad", b"nonsense")}))
    status = importing()
    assert names() == ["good"]
    (trouble,) = status["troubles"]
    assert (trouble["version"], trouble["state"]) == ("1.0", "imported")
    assert trouble["text"].startswith("bad: not a debug file that can be read")


def test_an_old_page_is_asked_for_again_before_its_addresses_have_expired(apple, importing, monkeypatch):
    monkeypatch.setattr(runs, "FRESH_SECONDS", -1.0)
    for number in range(1, 4):
        apple.add(f"1.{number}", archive(number), day=number)
    # Each round imports nothing from a page that is old at once, and gives up instead of asking for ever.
    monkeypatch.setattr(runs, "SLICE_SECONDS", 0.5)
    assert importing()["state"] == "delayed"

    monkeypatch.setattr(runs, "FRESH_SECONDS", 0.02)
    apple.cache.routes["/build-1.3-0.zip"] = slowly(apple.cache.routes["/build-1.3-0.zip"])
    monkeypatch.setattr(runs, "SLICE_SECONDS", 60)
    before = len(apple.api.asked)
    assert counts(importing()) == {"seen": 3, "imported": 3}
    assert len(apple.api.asked) - before > 2


def slowly(act):
    def slow(asked, connection):
        time.sleep(0.1)
        act(asked, connection)

    return slow


def test_a_run_is_a_slice_and_the_next_goes_on(apple, importing, monkeypatch):
    for number in range(1, 4):
        apple.add(f"1.{number}", archive(number), day=number)
    keep, over = runs.store_archive, []

    def keep_one(*arguments):
        over.append(True)
        return keep(*arguments)

    monkeypatch.setattr(runs, "store_archive", keep_one)
    monkeypatch.setattr(runs.Deadline, "check", lambda deadline: expire(over))
    status = importing()
    assert status["state"] == "going_on"
    assert counts(status) == {"seen": 3, "imported": 1, "pending": 2}
    assert datetime.fromisoformat(status["nextImport"]) <= timezone.now()

    monkeypatch.undo()
    assert counts(importing(due=False)) == {"seen": 3, "imported": 3}
    assert len(apple.fetched) == 3


def expire(over):
    if over:
        raise DeadlineExceeded("over")


def test_a_download_that_breaks_off_goes_on_where_it_stopped(apple, importing):
    content = packed({**dsym("lib", symbols(1)), "padding.bin": random.Random(1).randbytes(1 << 20)})
    apple.add("1.0", content)
    whole, half = apple.cache.routes["/build-1.0-0.zip"], len(content) // 2
    broken = []

    def breaks(asked, connection):
        if broken:
            return whole(asked, connection)
        broken.append(asked)
        head = f'HTTP/1.1 206 Partial Content\r\nContent-Length: {len(content)}\r\nETag: "one"\r\n'
        head += f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}\r\n\r\n"
        return connection.sendall(head.encode() + content[:half])

    apple.cache.routes["/build-1.0-0.zip"] = breaks
    assert counts(importing()) == {"seen": 1, "imported": 1}
    assert [asked.headers["range"].startswith("bytes=0-") for asked in apple.cache.asked] == [True, False]
