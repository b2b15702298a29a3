"""Errors that real builds throw in Node: the stack goes in as Node printed it, the original lines come out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.javascript.serving import NO_SCRAPING, ask, bundle, request_of

BUILDS = Path(__file__).parents[2] / "fixtures/js"
_FRAME = re.compile(
    r"^ +at (?:(?P<function>[^(\n]*?) \()?(?P<path>/[^()\n]+):(?P<line>\d+):(?P<column>\d+)\)?$", re.MULTILINE
)

PLAIN_NAMES = ["checkout", "Cart.total", "priceOf"]
# terser calls the outermost function where it stands, without a name, and its map has none for the class.
NAMES = {"esbuild": PLAIN_NAMES, "inline": PLAIN_NAMES, "terser": ["<anonymous>", "r.total", "priceOf"]}


def thrown(build: str) -> list[dict]:
    """The frames of the error's stack, the caller first."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    script = BUILDS / build / "app.js"
    stack = subprocess.run([node, script], capture_output=True, text=True, timeout=60, check=True).stdout
    frames = [
        {"abs_path": found["path"], "lineno": int(found["line"]), "colno": int(found["column"])}
        | ({"function": found["function"]} if found["function"] else {})
        for found in _FRAME.finditer(stack)
    ]
    return frames[::-1]


def source_line(name: str, line: int) -> str:
    return (BUILDS / "src" / name).read_text().splitlines()[line - 1]


@pytest.mark.parametrize("build", ["esbuild", "inline", "terser"])
@pytest.mark.parametrize("bundled", [True, False], ids=["bundle", "files"])
def test_the_stack_of_a_real_error(js, artifacts, build, bundled):
    frames = thrown(build)
    url = "~" + frames[0]["abs_path"]
    files = {
        name: (BUILDS / build / name).read_bytes()
        for name in ("app.js", "app.js.map")
        if (BUILDS / build / name).exists()
    }
    kinds = {"app.js": "minified_source", "app.js.map": "source_map"}
    if bundled:
        listed = {name: ({"type": kinds[name], "url": url[:-6] + name}, content) for name, content in files.items()}
        artifacts.add_bundle(f"b/{build}", bundle(listed))
    else:
        for name, content in files.items():
            artifacts.add_file(url[:-6] + name, content, id=f"{build}/{name}")
    answer = ask(js, artifacts.provider(), request_of(*frames, scraping=NO_SCRAPING), explain=True)
    assert "errors" not in answer
    found = answer["stacktraces"][0]["frames"]
    places = [(frame["filename"].rpartition("/")[2], frame["lineno"]) for frame in found]
    assert places == [("main.js", 6), ("cart.js", 7), ("cart.js", 7), ("cart.js", 14)]
    assert [found[at]["function"] for at in (0, 1, 3)] == NAMES[build]
    assert [frame["context_line"] for frame in found] == [source_line(name, line) for name, line in places]
    assert not any("diagnosis" in frame for frame in found)


def test_by_debug_id_alone(js, artifacts):
    frames = thrown("esbuild")
    identity = "85314830-023f-4cf1-a267-535f4e37bb17"
    listed = {
        name: ({"type": kind, "url": f"~/elsewhere/{name}", "headers": {"debug-id": identity}}, content)
        for name, kind in (("app.js", "minified_source"), ("app.js.map", "source_map"))
        for content in [(BUILDS / "esbuild" / name).read_bytes()]
    }
    artifacts.add_bundle("b/id", bundle(listed))
    modules = [{"type": "sourcemap", "code_file": frames[0]["abs_path"], "debug_id": identity}]
    answer = ask(js, artifacts.provider(), request_of(*frames, modules=modules, release=None))
    assert {frame["data"]["resolved_with"] for frame in answer["stacktraces"][0]["frames"]} == {"debug-id"}
    assert answer["stacktraces"][0]["frames"][-1]["function"] == "priceOf"
