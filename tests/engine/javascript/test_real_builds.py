"""Errors that real builds throw in Node and in Chromium: stacks go in as they were printed, original lines come out."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.engine.javascript.builds import Thrown, files_of, in_chromium, in_node, source_line
from tests.engine.javascript.serving import NO_SCRAPING, ask, bundle, request_of
from tests.engine.webserver import web_server

IN_NODE = ("webpack-node", "vite", "rollup", "esbuild", "inline", "terser", "sentry", "backtrace")
IN_CHROMIUM = ("webpack", "vite", "rollup", "esbuild", "inline", "terser", "sentry")
PLACES = [("main.js", 5), ("cart.js", 8), ("cart.js", 8), ("price.js", 4)]
# The third function has no name; some maps name what it was given to, and that is what a nameless function is called.
FUNCTIONS = ["checkout", "Cart.total", {"<anonymous>", "reduce"}, "priceOf"]


@pytest.fixture(scope="module")
def site():
    """A web server that has the builds."""
    with web_server() as server:
        yield server


@pytest.fixture(scope="module")
def browsed(site, tmp_path_factory):
    return in_chromium(IN_CHROMIUM, site, tmp_path_factory.mktemp("chromium") / "profile")


def add_files(artifacts, build: str, thrown: Thrown) -> None:
    """Upload every file of a build by itself, under the path that frames have."""
    folder = urlsplit(thrown.frames[0]["abs_path"]).path.rpartition("/")[0]
    for name, (_, content) in files_of(build).items():
        artifacts.add_file(f"~{folder}/{name}", content, id=f"{build}/{name}")


def add_bundle(artifacts, build: str, thrown: Thrown) -> None:
    folder = urlsplit(thrown.frames[0]["abs_path"]).path.rpartition("/")[0]
    listed = {
        name: ({"type": kind, "url": f"~{folder}/{name}"}, content) for name, (kind, content) in files_of(build).items()
    }
    artifacts.add_bundle(f"bundle/{build}", bundle(listed))


def check(answer: dict, number: int = 0) -> list[dict]:
    """The frames, which are those that were written."""
    assert "errors" not in answer
    found = answer["stacktraces"][number]["frames"]
    assert [(frame["filename"].rpartition("/")[2], frame["lineno"]) for frame in found] == PLACES
    assert [frame["context_line"] for frame in found] == [source_line(*place) for place in PLACES]
    for frame, function in zip(found, FUNCTIONS, strict=True):
        assert frame["function"] in function if isinstance(function, set) else frame["function"] == function
    assert not any("diagnosis" in frame for frame in found)
    return found


@pytest.mark.parametrize("build", IN_NODE)
def test_the_stack_of_an_error_in_node(js, artifacts, build):
    thrown = in_node(build)
    add_files(artifacts, build, thrown)
    request = request_of(*thrown.frames, scraping=NO_SCRAPING)
    check(ask(js, artifacts.provider(token=build), request, explain=True))


@pytest.mark.parametrize("build", ["esbuild", "inline", "webpack-node"])
def test_the_same_from_a_bundle(js, artifacts, build):
    thrown = in_node(build)
    add_bundle(artifacts, build, thrown)
    check(ask(js, artifacts.provider(token=build), request_of(*thrown.frames, scraping=NO_SCRAPING), explain=True))


# One browser for all of them.
@pytest.mark.parametrize("build", IN_CHROMIUM)
def test_the_stack_of_an_error_in_chromium(js, artifacts, browsed, build):
    add_files(artifacts, build, browsed[build])
    request = request_of(*browsed[build].frames, scraping=NO_SCRAPING)
    check(ask(js, artifacts.provider(token=build), request, explain=True))


def test_scripts_and_maps_of_a_site_are_had_from_the_site_itself(js, artifacts, browsed):
    stacks = [{"frames": thrown.frames} for thrown in browsed.values()]
    request = request_of(stacktraces=stacks, scraping={"enabled": True, "allowed_origins": ["127.0.0.1"]})
    answer = ask(js, artifacts.provider(), request, explain=True)
    for number in range(len(stacks)):
        assert {frame["data"]["resolved_with"] for frame in check(answer, number)} == {"scraping"}


def by_debug_id(js, artifacts, build: str, thrown: Thrown, wanted: set[str]) -> None:
    """Files of another release and other URLs: nothing but the ids that the tool put into them leads there."""
    ids = {module["code_file"].rpartition("/")[2]: module["debug_id"] for module in thrown.modules}
    assert set(ids) == wanted
    listed = {
        name: ({"type": kind, "url": f"~/x/{name}", "headers": {"debug-id": ids[name.removesuffix(".map")]}}, content)
        for name, (kind, content) in files_of(build).items()
    }
    artifacts.add_bundle(f"ids/{build}", bundle(listed))
    request = request_of(*thrown.frames, modules=thrown.modules, release=None, scraping=NO_SCRAPING)
    found = check(ask(js, artifacts.provider(token=build), request, explain=True))
    assert {frame["data"]["resolved_with"] for frame in found} == {"debug-id"}


@pytest.mark.parametrize(("build", "lazy"), [("sentry", "price.js"), ("backtrace", "src_price_js.js")])
def test_by_the_debug_ids_that_tools_inject(js, artifacts, build, lazy):
    by_debug_id(js, artifacts, build, in_node(build), {"app.js", lazy})


def test_by_the_debug_ids_that_a_browser_reports(js, artifacts, browsed):
    by_debug_id(js, artifacts, "sentry", browsed["sentry"], {"app.js", "price.js"})


@pytest.mark.parametrize("build", ["sentry", "backtrace"])
def test_a_debug_id_in_the_script_alone_leads_to_the_map(js, artifacts, build):
    """The client reports none: the script is found by its URL, and its comment names the id of its map."""
    thrown = in_node(build)
    folder = urlsplit(thrown.frames[0]["abs_path"]).path.rpartition("/")[0]
    ids = {module["code_file"].rpartition("/")[2]: module["debug_id"] for module in thrown.modules}
    files = files_of(build)
    for name in ids:
        artifacts.add_file(f"~{folder}/{name}", files[name][1], id=f"lone/{build}/{name}")
    maps = {
        f"{name}.map": ({"type": "source_map", "headers": {"debug-id": debug_id}}, files[f"{name}.map"][1])
        for name, debug_id in ids.items()
    }
    artifacts.add_bundle(f"maps/{build}", bundle(maps))
    request = request_of(*thrown.frames, scraping=NO_SCRAPING)
    check(ask(js, artifacts.provider(token=f"lone {build}"), request, explain=True))
