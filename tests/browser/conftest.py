"""One browser for all tests here, closed before tests of other directories run: its loop would be in Django's way.

They go to one process of xdist, and so do the service and the world that they look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import Visitor, chromium, visitor
from tests.browser.world import World, made
from tests.service import Service
from tests.symbolication.symbolserver import SymbolServer, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="package")
def symbols() -> Iterator[SymbolServer]:
    with running() as server:
        yield server


@pytest.fixture(scope="package")
def world(service: Service, symbols: SymbolServer) -> World:
    """A project with everything in it that pages show, and an owner of it."""
    return made(service, symbols.url)


@pytest.fixture(scope="package")
def session(browser: Browser, world: World) -> Any:
    """What the owner's browser keeps once signed in: whoever starts with it need not sign in again."""
    with visitor(browser, world.url) as someone:
        someone.sign_in(world.email, world.password)
        return someone.context.storage_state()


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Callable[..., Visitor]]:
    """Open windows: `visit(storage_state=session)` for the owner, `visit()` for someone who is signed out."""
    with ExitStack() as opened:
        yield lambda **options: opened.enter_context(visitor(browser, service.url, **options))


@pytest.fixture
def owner(visit: Callable[..., Visitor], session: Any) -> Visitor:
    """The owner, signed in."""
    return visit(storage_state=session)
