"""The builds of `tests/fixtures/js`, run in Node and in Chromium, and what comes of their errors."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.engine.webserver import WebServer, reply
from tests.needed import program

BUILDS = Path(__file__).parents[2] / "fixtures/js"
_FRAME = re.compile(
    r"^ +at (?:async )?(?:(?P<function>[^(\n]*?) \()?(?P<path>(?:/|\w+://)[^()\s]+):(?P<line>\d+):(?P<column>\d+)\)?$",
    re.MULTILINE,
)
_KINDS = {".js": "minified_source", ".map": "source_map"}
# Modules are fetched at the same time, and virtual time stands still meanwhile.
_BUDGET_MS = 20_000


@dataclass(frozen=True)
class Thrown:
    """An error as it was reported: frames with the caller first, and the modules whose debug ids are known."""

    frames: list[dict]
    modules: list[dict]

    @classmethod
    def parse(cls, report: str) -> Thrown:
        """What a client makes of a report: the first frame of a stack says where a debug id was set."""
        said = json.loads(report)
        modules = [
            {"type": "sourcemap", "code_file": frames_of(stack)[-1]["abs_path"], "debug_id": debug_id}
            for stack, debug_id in said["debugIds"].items()
        ]
        return cls(frames_of(said["stack"]), modules)


def frames_of(stack: str) -> list[dict]:
    """The frames of a stack as engines print it, but for what the engine does by itself."""
    frames = [
        {"abs_path": found["path"], "lineno": int(found["line"]), "colno": int(found["column"])}
        | ({"function": found["function"]} if found["function"] else {})
        for found in _FRAME.finditer(stack)
    ]
    return frames[::-1]


def files_of(build: str) -> dict[str, tuple[str, bytes]]:
    """Kind and content of the scripts and maps of a build, by name."""
    found = (path for path in sorted((BUILDS / build).iterdir()) if path.suffix in _KINDS)
    return {path.name: (_KINDS[path.suffix], path.read_bytes()) for path in found}


def source_line(name: str, line: int) -> str:
    return (BUILDS / "src" / name).read_text().splitlines()[line - 1]


def in_node(build: str) -> Thrown:
    """The error that a build reports in Node."""
    ran = subprocess.run(
        [program("node", "nodejs"), BUILDS / build / "app.js"], capture_output=True, text=True, timeout=60, check=True
    )
    return Thrown.parse(ran.stdout)


def in_chromium(builds: Sequence[str], server: WebServer, profile: Path) -> dict[str, Thrown]:
    """The errors that builds report in one run of a browser, each in a frame of its own; `profile` is made."""
    serve(builds, server)
    server.routes["/"] = reply(body=_page(builds).encode(), Content_Type="text/html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    command = [program("chromium"), *options, f"--virtual-time-budget={_BUDGET_MS}", "--dump-dom", server.url + "/"]
    page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    reports = re.findall(r'<pre id="([\w-]+)">(.*?)</pre>', page, re.DOTALL)
    return {build: Thrown.parse(html.unescape(report)) for build, report in reports}


def serve(builds: Sequence[str], server: WebServer) -> None:
    """Put the files of builds on a web server, with a page for each."""
    for build in builds:
        script = f'<script>show = text => parent.show("{build}", text)</script><script src="app.js" {_type(build)}>'
        server.routes[f"/{build}/"] = reply(body=f"{script}</script>".encode(), Content_Type="text/html")
        for name, (_, content) in files_of(build).items():
            server.routes[f"/{build}/{name}"] = reply(body=content, Content_Type="text/javascript")


def _type(build: str) -> str:
    return "" if build == "webpack" else "type=module"


def _page(builds: Sequence[str]) -> str:
    places = "".join(f'<pre id="{build}"></pre><iframe src="/{build}/"></iframe>' for build in builds)
    return f"<script>show = (build, text) => {{ {_SHOW} }}</script>{places}"


_SHOW = "document.getElementById(build).textContent = text;"
