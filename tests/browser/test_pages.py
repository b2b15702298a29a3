"""Every page: accessible, in light and dark, on a wide screen and a telephone; nothing foreign, nothing that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.accessibility import violations
from tests.browser.chromium import NARROW, WIDE, Visitor, visitor
from tests.browser.places import PAGES, PUBLIC
from tests.browser.world import World
from tests.service import Service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_OVERFLOW = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > wide + 1)
        .slice(0, 5).map((one) => one.outerHTML.slice(0, 150));
}"""


def look(visitor: Visitor, path: str) -> None:
    """All that is asked of a page."""
    page = visitor.open(path)
    assert page.locator("h1").count() == 1
    assert page.title() not in {"", "symbolsvc"}
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate(_OVERFLOW) == [], size
    visitor.watch.assert_quiet(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    assert background(page) < 0.5
    visitor.watch.assert_quiet(page)


def background(page: Page) -> float:
    """How light the page is, from 0 to 1."""
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    parts = [float(part) for part in colour.strip("rgba()").split(",")[:3]]
    return sum(parts) / 3 / 255


@pytest.mark.parametrize("name", PUBLIC)
def test_a_page_for_everybody(visit: Callable[..., Visitor], world: World, name: str) -> None:
    look(visit(), world.path(PUBLIC[name]))


@pytest.fixture(scope="module")
def window(browser: Browser, service: Service, session: Any) -> Iterator[Visitor]:
    """The owner's window, which goes from page to page as people do: a browser's start is most of a page's time."""
    with visitor(browser, service.url, storage_state=session) as owner:
        yield owner


@pytest.mark.parametrize("name", PAGES)
def test_a_page(window: Visitor, world: World, name: str) -> None:
    window.watch.forget()
    window.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    window.page.emulate_media(color_scheme="light")
    look(window, world.path(PAGES[name]))
