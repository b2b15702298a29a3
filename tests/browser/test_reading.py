"""Reading a crash: by keys alone, with hostile text in it, and when it is huge."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
from playwright.sync_api import expect

from symbolsvc.demo import crashes
from tests.browser.chromium import Visitor
from tests.browser.huge import FRAMES, MODULES, THREADS, huge
from tests.browser.world import HOSTILE, World
from tests.service import Service


def test_frames_are_walked_by_keys(owner: Visitor, world: World) -> None:
    page = owner.open(world.path("{project}/crashes/{lacking}/"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    focused = "document.activeElement.closest('li.frame')?.id"
    page.keyboard.press("j")
    first = page.evaluate(focused)
    page.keyboard.press("j")
    assert page.evaluate(focused) != first
    page.keyboard.press("k")
    assert page.evaluate(focused) == first
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("w")
    expect(page.locator(f"#{first} > .why-text")).to_be_visible()
    page.keyboard.press("w")
    expect(page.locator(f"#{first} > .why-text")).to_have_count(0)
    owner.watch.assert_quiet(page)


def test_source_is_folded_and_unfolded_by_a_key(owner: Visitor, world: World) -> None:
    page = owner.open(world.path("{project}/crashes/{hostile}/"))
    source = page.locator("li.frame details.source").first
    page.keyboard.press("j")
    was = source.evaluate("one => one.open")
    page.keyboard.press("o")
    assert source.evaluate("one => one.open") is not was


def test_a_file_is_uploaded_by_keys(owner: Visitor, world: World) -> None:
    page = owner.page
    # Who listens for choosers only when one is due may be too late for it.
    page.on("filechooser", lambda _: None)
    owner.open(world.path("{project}/files/upload/"))
    page.locator("#upload-file").focus()
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(crashes.DUMP.parent / "symbols/39/88be7f44385cce25e399210deb9a5f57be012e")
    page.locator("#upload-list").get_by_text("3988be7f44385cce25e399210deb9a5f57be012e").first.wait_for()


def test_what_a_client_sends_is_read_as_text(owner: Visitor, world: World) -> None:
    page = owner.open(world.path("{project}/crashes/{hostile}/"))
    assert HOSTILE in page.inner_text("li.frame .function")
    assert HOSTILE in page.inner_text("main")
    assert page.locator("main img, main script").count() == 0
    for path in ("{project}/crashes/", "{project}/crashes/all/", "{project}/crashes/missing/"):
        owner.open(world.path(path))
        assert page.locator("main img, main script").count() == 0
    owner.watch.assert_quiet(page)


def test_a_huge_crash_opens_at_once_and_its_threads_when_asked(
    visit: Callable[..., Visitor], owner: Visitor, world: World, service: Service
) -> None:
    with psycopg.connect(service.env["DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE crashes_crashresult SET body = %s WHERE crash_id = %s", [huge(), int(world.paths["other"])]
        )
    path = world.path("{project}/crashes/{other}/")
    owner.open(path)
    began = time.monotonic()
    page = owner.open(path)
    seconds = time.monotonic() - began
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
    print(
        f"{THREADS} threads of {FRAMES} frames, {MODULES} modules: {timing:.0f} ms of the server, {seconds:.1f} s shown"
    )
    # On an idle machine it is a fraction; others may be at work here.
    assert timing < 4000
    assert page.locator("details.thread").count() == THREADS
    last = page.locator("details.thread").last
    assert last.locator("li.frame").count() == 0
    last.locator("summary").first.click()
    expect(last.locator("li.frame")).to_have_count(FRAMES)
    owner.watch.assert_quiet(page)
