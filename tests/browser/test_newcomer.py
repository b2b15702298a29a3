"""The whole way of somebody who sees the service for the first time, in a browser and a shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from symbolsvc.demo import crashes
from tests.browser.chromium import Visitor
from tests.browser.world import World
from tests.needed import program
from tests.symbolication.symbolserver import SymbolServer

if TYPE_CHECKING:
    from playwright.sync_api import Page


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


OTHER_SOURCES = {
    "s3": {
        "name": "Bucket", "bucket": "symbols", "region": "us-east-1", "endpoint": "http://127.0.0.1:9",
        "access_key": "key", "secret_key": "never shown", "layout_type": "unified",
    },
    "gcs": {
        "name": "Google", "bucket": "symbols", "client_email": "reader@project.iam.gserviceaccount.com",
        "private_key": pem(rsa.generate_private_key(65537, 2048)), "layout_type": "unified",
    },
    "appStoreConnect": {
        "name": "Apple", "appconnectIssuer": str(uuid4()), "appconnectKey": "2X9R4HXF34",
        "appconnectPrivateKey": pem(ec.generate_private_key(ec.SECP256R1())), "appId": "1234567890",
    },
}  # fmt: skip


def fill(page: Page, values: dict[str, str]) -> None:
    """Fill a form in by the names of its fields."""
    for name, value in values.items():
        field = page.locator(f"main [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def create_project(someone: Visitor, world: World, slug: str) -> str:
    page = someone.open(world.path("{org}/"))
    page.locator("main a[href$='/new/']").first.click()
    fill(page, {"name": f"Project {slug}", "slug": slug})
    page.get_by_role("button", name="Create the project").click()
    page.wait_for_url(re.compile(rf"/{slug}/$"))
    return f"{world.path('{org}')}/{slug}"


def add_source(page: Page) -> None:
    page.get_by_role("button", name="Add the source").click()
    page.wait_for_url(re.compile(r"/sources/$"))


def new_token(someone: Visitor, project: str) -> str:
    """A token for crash clients, as the page shows it once."""
    page = someone.open(f"{project}/tokens/new/?purpose=crash-client")
    fill(page, {"name": "crashes"})
    page.get_by_role("button", name="Create the token").click()
    return page.locator(".copyable code").first.inner_text()


def submit(world: World, token: str) -> None:
    """What a crash client does."""
    address = f"{world.url}/{world.client.organization}/{token}/minidump?version=1.0"
    done = subprocess.run(
        [program("curl"), "-sSf", "--data-binary", f"@{crashes.LACKING}", address], capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_from_the_sign_in_to_a_frame_that_gets_its_name_by_itself(
    visit: Callable[..., Visitor], world: World, symbols: SymbolServer
) -> None:
    someone = visit()
    someone.sign_in(world.email, world.password)
    project = create_project(someone, world, f"new-{uuid4().hex[:8]}")
    page = someone.page
    assert "What to do next" in page.inner_text("main")

    someone.open(f"{project}/sources/new/http/")
    fill(page, {"name": "Ours", "url": "http://127.0.0.1:9/", "layout_type": "native"})
    page.locator("#example").get_by_text("3988be7f44385cce25e399210deb9a5f57be012e"[2:]).first.wait_for()
    page.get_by_role("button", name="Test before saving").click()
    page.get_by_text("It does not work.").wait_for()
    fill(page, {"url": symbols.url})
    page.get_by_role("button", name="Test before saving").click()
    page.get_by_text("It works.").wait_for()
    add_source(page)
    for kind, values in OTHER_SOURCES.items():
        someone.open(f"{project}/sources/new/{kind}/")
        fill(page, values)
        if kind == "s3":
            page.get_by_role("button", name="Test before saving").click()
            page.get_by_text("It does not work.").wait_for()
        add_source(page)
    assert [name in page.inner_text("main") for name in ("Ours", "Bucket", "Google", "Apple")] == [True] * 4
    assert "never shown" not in page.content()

    submit(world, new_token(someone, project))
    someone.open(f"{project}/crashes/all/")
    page.locator("tbody a").first.click()
    page.locator("li.frame", has_text="libledger.so").locator("a.why").first.click()
    why = page.locator("li.frame > .why-text").first
    assert "libledger.so" in why.inner_text()
    window = someone.context.new_page()
    window.goto(f"{world.url}{why.locator('a', has_text='Upload this file').get_attribute('href')}")
    window.locator("#upload-file").set_input_files(crashes.MISSING)
    window.locator("#upload-list").get_by_text("098f79f61e765a32a76e8890f6510c0793df6784").first.wait_for()
    # The first page has stayed open, and nobody touches it.
    page.locator("li.frame .function", has_text="leaf_post").first.wait_for(timeout=60_000)
    someone.watch.assert_quiet(page)
    someone.watch.assert_quiet(window)


def test_the_same_without_scripts(visit: Callable[..., Visitor], world: World, symbols: SymbolServer) -> None:
    someone = visit(java_script_enabled=False)
    someone.sign_in(world.email, world.password)
    page = someone.page
    project = create_project(someone, world, f"plain-{uuid4().hex[:8]}")
    someone.open(f"{project}/sources/new/http/")
    fill(page, {"name": "Ours", "url": "http://127.0.0.1:9/", "layout_type": "native"})
    page.get_by_role("button", name="Test before saving").click()
    page.get_by_text("It does not work.").wait_for()
    fill(page, {"url": symbols.url})
    page.get_by_role("button", name="Test before saving").click()
    page.get_by_text("It works.").wait_for()
    add_source(page)
    submit(world, new_token(someone, project))
    someone.open(f"{project}/crashes/all/")
    page.locator("tbody a").first.click()
    opened = page.url
    wait_by_reloading(page, "libledger.so + 0x")
    page.locator("li.frame", has_text="libledger.so").locator("a.why").first.click()
    page.locator("li.module:target .why-text").wait_for()
    page.locator("li.module:target").locator("a", has_text="Upload this file").click()
    page.locator("#upload-file").set_input_files(crashes.MISSING)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_text("098f79f61e765a32a76e8890f6510c0793df6784").first.wait_for()
    page.goto(opened)
    wait_by_reloading(page, "leaf_post")


def wait_by_reloading(page: Page, text: str) -> None:
    for _ in range(120):
        if text in page.inner_text("main"):
            return
        page.wait_for_timeout(250)
        page.reload()
    pytest.fail(f"{text} did not appear")
