"""Make the screenshots of `docs/screenshots` anew, from the demo's project.

    python -m tests.browser.screenshots [--into DIRECTORY] [--width PIXELS] [--dark] [--all]

The demo is started in a directory of its own. With `--all` every page is shown that the project has, as long as it is.
Pictures are smaller where Pillow is installed.
"""

from __future__ import annotations

import argparse
import io
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.browser.chromium import Visitor, chromium, visitor
from tests.browser.places import PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = 860


def main(arguments: list[str] | None = None) -> None:
    """Start the demo, look at its pages, write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    with demo() as (url, email, password, lacking), chromium() as browser:
        size = {"width": options.width, "height": HEIGHT}
        theme = "dark" if options.dark else "light"
        with visitor(browser, url, viewport=size, color_scheme=theme) as someone:
            someone.sign_in(email, password)
            chosen = every_page(lacking) if options.all else SHOTS
            for name, (path, prepare) in chosen.items():
                take(someone, path.format(lacking=lacking), prepare, options.into / f"{name}.png", whole=options.all)


@contextmanager
def demo() -> Iterator[tuple[str, str, str, str]]:
    """A running demo: its address, e-mail and password, and the number of the crash that lacks a file."""
    with tempfile.TemporaryDirectory(prefix="screenshots-") as directory:
        command = [sys.executable, "-m", "symbolsvc.demo", "--port", "0", "--data-dir", f"{directory}/data"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if "stays up" in line:
                    break
            opened, email, password = (found(rf"{name} +(\S+)", printed) for name in ("Open", "e-mail", "password"))
            parts = urlsplit(opened)
            yield f"{parts.scheme}://{parts.netloc}", email, password, found(r"and why: \S+/(\d+)/", printed)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def found(pattern: str, text: str) -> str:
    """The group of a pattern's only match."""
    (one,) = re.findall(pattern, text)
    return str(one)


def take(someone: Visitor, path: str, prepare: Callable[[Page], None] | None, file: Path, *, whole: bool) -> None:
    """One picture."""
    try:
        page = someone.open(path)
    except AssertionError as error:
        print(f"{file.stem}: {error}")
        return
    if prepare is not None:
        prepare(page)
    page.wait_for_timeout(300)
    file.write_bytes(smaller(page.screenshot(full_page=whole)))
    print(f"{file}: {file.stat().st_size // 1024} KB")


def smaller(png: bytes) -> bytes:
    """The picture with 128 colours, where Pillow is at hand."""
    try:
        from PIL import Image
    except ImportError:
        return png
    kept = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def every_page(lacking: str) -> dict[str, tuple[str, None]]:
    """All pages whose addresses the demo's project can fill; crashes are numbered from 1."""
    numbers = {"named": "1", "other": "2", "hostile": "4", "group": "1", "file": "1", "upload": "1", "release": "1"}
    names = {"org": "/organizations/demo", "project": "/organizations/demo/crashy", "lacking": lacking, **numbers}
    return {
        name: (path.format(**names), None)
        for name, path in PAGES.items()
        if not any(f"{{{one}}}" in path for one in ("source", "release", "upload", "file"))
    }


def open_why(page: Page) -> None:
    """The diagnosis of the first frame without a name that lies in the library."""
    page.locator("li.frame", has_text="libledger.so").locator("a.why").first.click()


def type_address(page: Page) -> None:
    """What an administrator types into the form of a symbol server."""
    page.get_by_label("Name", exact=True).first.fill("Build server")
    page.locator("input[name=url]").fill("https://symbols.example.com/linux/")
    page.locator("[name=layout_type]").select_option("native")
    page.wait_for_timeout(800)


_PROJECT = "/organizations/demo/crashy"
SHOTS: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "project": (f"{_PROJECT}/", None),
    "groups": (f"{_PROJECT}/crashes/", None),
    "crash": (f"{_PROJECT}/crashes/1/", None),
    "why": (f"{_PROJECT}/crashes/{{lacking}}/", open_why),
    "missing": (f"{_PROJECT}/crashes/missing/", None),
    "sources": (f"{_PROJECT}/sources/", None),
    "new-source": (f"{_PROJECT}/sources/new/http/", type_address),
    "upload": (f"{_PROJECT}/files/upload/?for=f6f78e09-761e-325a-a2a7-6e8890f6510c0", None),
}


if __name__ == "__main__":
    main()
