"""Real clients of Backtrace report to a running service: what is stored, what is made of it, what the client says."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.reports import Inbox
from tests.clients.tools import client
from tests.engine.webserver import reply, web_server
from tests.needed import program
from tests.service import Service

PROGRAMS = Path(__file__).parent / "programs"
LOG = "first line\nsecond line ünïcødé\n"
SECRET = "canary-5f3e9b"


@pytest.fixture
def inbox(service: Service) -> Inbox:
    return Inbox.opened(service)


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(LOG, encoding="utf-8")
    return path


def in_python(endpoint: str, token: str, mode: str, attachment: Path | None = None) -> tuple[int, str]:
    """The exit status of a program, and the id that the client says its report has."""
    arguments = [PROGRAMS / "backtrace_client.py", endpoint, token, mode, attachment or ""]
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    (rxid,) = re.findall(r"^Report available with rxId (\S+)$", done.stderr, re.MULTILINE) or [done.stderr]
    return done.returncode, rxid


class TestPython:
    def test_an_uncaught_exception(self, inbox, log_file):
        status, rxid = in_python(inbox.tenant.url, inbox.token, "uncaught", log_file)

        (kept,) = inbox.kept()
        assert (status, kept.row["rxid"]) == (1, rxid)
        assert kept.attributes["error.type"] == "Unhandled exception"
        assert (kept.attributes["tier"], kept.attributes["flag"], kept.attributes["count"]) == ("prod", True, 7)
        assert kept.files == {"app.log": LOG.encode()}
        assert kept.functions[:4] == ["sell"] * 4
        source = (PROGRAMS / "backtrace_client.py").read_text().splitlines()
        assert "raise ValueError" in source[kept.crashed.frames[0].lineno - 1]
        assert kept.row["version"] == "1.2.3"
        assert "ValueError" in kept.group["title"]

    def test_exceptions_at_one_place_are_one_group_and_a_message_is_another(self, inbox):
        for address in (inbox.hosted("json"), inbox.plain("json")):
            assert in_python(address, "", "caught")[0] == 0
        assert in_python(inbox.plain("json"), "", "message")[0] == 0

        first, second, message = inbox.kept(3)
        assert first.row["fingerprint"] == second.row["fingerprint"] != message.row["fingerprint"]
        assert (first.group["count"], message.group["count"]) == (2, 1)
        assert first.attributes["order"] == "4711"
        assert message.attributes["error.message"] == "only a message"
        assert message.result.annotations["nested"] == {"k": [1, 2, None]}


def in_node(url: str, token: str, late: Path | None = None) -> list[dict]:
    """What the client says of its report, and of the attachment that follows."""
    modules = client("backtrace-node", "0.8.3").parents[2]
    done = subprocess.run(
        [program("node", "nodejs"), PROGRAMS / "backtrace_client.js", url, token, str(late or "")],
        env={**os.environ, "NODE_PATH": str(modules), "SHOP_PASSWORD": SECRET},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class TestNode:
    def test_an_exception_with_breadcrumbs_and_an_attachment_that_comes_later(self, inbox, log_file):
        sent, late = in_node(inbox.tenant.url, inbox.token, log_file)

        (kept,) = inbox.kept()
        assert (sent["status"], sent["result"]["_rxid"]) == ("Ok", kept.row["rxid"])
        assert (late["status"], late["result"]["object"]) == ("Ok", f"{kept.row['id']:x}")
        assert kept.files["notes.txt"] == b"hello from node"
        assert LOG.encode() in kept.files.values()
        crumbs = json.loads(kept.files["bt-breadcrumbs-0"])
        assert crumbs[0]["message"] == "put into the cart"
        assert kept.attributes["big"] == "12345678901234567890"
        assert kept.row["version"] == "2.0.1"
        assert kept.functions[0] == "checkout"
        assert kept.crashed.frames[0].abs_path.endswith("programs/backtrace_client.js")
        assert "node exploded" in kept.group["title"]

    def test_the_environment_that_it_sends_along_is_not_shown(self, inbox):
        (sent,) = in_node(inbox.hosted("json"), "")

        (kept,) = inbox.kept()
        assert sent["status"] == "Ok"
        assert SECRET in kept.main.decode()
        assert SECRET not in json.dumps(kept.attributes)
        assert SECRET not in repr(kept.result)


def in_browser(targets: list[dict], directory: Path) -> list[dict]:
    """What the client says of its report to each target, in a page of another origin than the service's."""
    esbuild = client("backtrace-browser", "0.4.2")
    bundled = subprocess.run(
        [
            *(esbuild, PROGRAMS / "backtrace_page.js", "--bundle", "--format=iife", "--log-level=error"),
            f"--define:TARGETS={json.dumps(targets)}",
        ],
        env={**os.environ, "NODE_PATH": str(esbuild.parents[1])},
        capture_output=True,
        timeout=120,
    )
    assert bundled.returncode == 0, bundled.stderr
    with web_server() as server:
        server.routes["/app.js"] = reply(body=bundled.stdout, Content_Type="text/javascript")
        page = b'<!doctype html><meta charset="utf-8"><body><script src="/app.js"></script>'
        server.routes["/"] = reply(body=page, Content_Type="text/html")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command = [program("chromium"), *options, f"--user-data-dir={directory / 'profile'}"]
        shown = subprocess.run(
            [*command, "--virtual-time-budget=60000", "--dump-dom", f"{server.url}/"],
            capture_output=True,
            text=True,
            timeout=120,
        )
    (said,) = re.findall(r'<pre id="said">(.*?)</pre>', shown.stdout, re.DOTALL) or [shown.stdout + shown.stderr]
    return json.loads(html.unescape(said))


def test_a_browser_reads_the_answers_from_another_origin(inbox, tmp_path):
    targets = [{"url": f"{inbox.tenant.url}/", "token": inbox.token}, {"url": inbox.hosted("json")}]
    said = in_browser(targets, tmp_path)

    kept = inbox.kept(2)
    assert [one["status"] for one in said] == ["Ok", "Ok"], said
    assert [one["result"]["_rxid"] for one in said] == [one.row["rxid"] for one in kept]
    for one in kept:
        assert one.files["notes.txt"] == b"from a browser"
        assert one.attributes["tier"] == "web"
        assert one.row["version"] == "3.1.0"
        assert one.functions[0] == "clicked"
    assert kept[0].group["count"] == 2


def test_a_client_with_a_wrong_token_says_that_it_is_wrong(inbox):
    (sent,) = in_node(inbox.tenant.url, "0" * 64)
    assert sent["status"] == "Invalid token"
    assert inbox.is_empty()
