"""Debian's Chromium, driven by Playwright, and what a page does that it must not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.needed import lacking, program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# What the page itself reports to nobody: kept for the test to ask.
_REPORTS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
    window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}`));
"""
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
SECONDS = 30.0


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. Skips the test where there is none."""
    path = program("chromium", "chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("needs playwright of requirements-dev.txt")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """What a context's pages did: requests to other hosts, dialogs, errors and warnings of the policy."""

    host: str
    foreign: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        context.on("request", self._asked)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("dialog", self._dialog)
        context.add_init_script(_REPORTS)

    def forget(self) -> None:
        """What follows is watched anew."""
        for told in (self.foreign, self.dialogs, self.errors):
            told.clear()

    def assert_quiet(self, page: Page) -> None:
        """Nothing of it happened, on this page or those before it."""
        assert page.evaluate("window.violations") == []
        assert (self.foreign, self.dialogs, self.errors) == ([], [], [])

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and parts.netloc != self.host:
            self.foreign.append(request.url)

    def _said(self, message: Any) -> None:
        if "htmx:sendAbort" in message.text or message.text.startswith("htmx:afterRequest"):
            # A page that is left or made anew ends what it was asking for.
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@dataclass
class Visitor:
    """Someone with a browser window, and what its pages did."""

    context: BrowserContext
    watch: Watch
    url: str

    @property
    def page(self) -> Page:
        """The window."""
        return self.context.pages[0] if self.context.pages else self.context.new_page()

    def open(self, path: str) -> Page:
        """Go to a path; fails unless it is answered with a page."""
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None
        assert answer.status < 400, f"{path}: {answer.status}"
        return self.page

    def sign_in(self, email: str, password: str) -> None:
        """By the form, as people do."""
        page = self.open("/login/")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login/" not in url)


@contextmanager
def visitor(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """A fresh context of a browser. `options` are those of `Browser.new_context`."""
    url = url.rstrip("/")
    context = browser.new_context(**({"viewport": WIDE, "color_scheme": "light", "reduced_motion": "reduce"} | options))
    context.set_default_timeout(SECONDS * 1000)
    watch = Watch(urlsplit(url).netloc)
    watch.attach(context)
    try:
        yield Visitor(context, watch, url)
    finally:
        context.close()
