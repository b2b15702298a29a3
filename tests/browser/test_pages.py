"""Every page: accessible, in light and dark, on a wide screen and a telephone; nothing foreign, nothing that runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.accessibility import violations
from tests.browser.chromium import NARROW, WIDE, Visitor
from tests.browser.places import PAGES, PUBLIC
from tests.browser.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

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


@pytest.mark.parametrize("name", PAGES)
def test_a_page(owner: Visitor, world: World, name: str) -> None:
    look(owner, world.path(PAGES[name]))
