"""JavaScript and JVM on a running service: uploads by REST, stacks of real builds, and files that mean harm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import pytest
from symbolic.proguard import ProguardMapper

from tests.debugfiles.uploading import bundle_of
from tests.engine.javascript.builds import Thrown, files_of, in_node, source_line
from tests.engine.javascript.serving import SCRIPT, map_bytes
from tests.engine.jvm.programs import mapping_of, places, thrown, written
from tests.engine.webserver import WebServer, reply
from tests.service import Service, children_of
from tests.symbolication.http import Tenant, new_tenant

RELEASE = "shop@1.0+7"
PLACES = [("main.js", 5), ("cart.js", 8), ("cart.js", 8), ("price.js", 4)]
ID = "85314830-023f-4cf1-a267-535f4e37bb17"
# What the limits of requests are meant for, and far below them.
SOON = 30.0
BUNDLE_FILES = int(os.environ.get("SYMBOLSVC_BUNDLE_FILES", "5000"))


@pytest.fixture
def shop(service: Service) -> Tenant:
    return new_tenant(service)


def upload_file(shop: Tenant, url: str, content: bytes) -> None:
    query = urlencode({"name": url})
    address = f"{shop.project_url}/releases/{quote(RELEASE, safe='')}/files/?{query}"
    answer = shop.post(address, content)
    assert answer.status == 201, answer.body


def upload_bundle(shop: Tenant, content: bytes) -> None:
    answer = shop.post(f"{shop.project_url}/artifact-bundles/", content)
    assert answer.status == 201, answer.body


def symbolicate(shop: Tenant, frames: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    answer = shop.post(f"{shop.project_url}/symbolicate-js/", {"stacktraces": [{"frames": frames}], **more})
    assert answer.status == 200, answer.body
    assert answer.seconds < SOON
    found: dict[str, Any] = answer.json()
    assert found["status"] == "completed"
    return found


def folder_of(thrown: Thrown) -> str:
    return urlsplit(thrown.frames[0]["abs_path"]).path.rpartition("/")[0]


def is_readable(answer: dict[str, Any]) -> bool:
    frames = answer["stacktraces"][0]["frames"]
    found = [(frame["filename"].rpartition("/")[2], frame["lineno"]) for frame in frames if "filename" in frame]
    return found == PLACES and [frame["context_line"] for frame in frames] == [source_line(*place) for place in PLACES]


def test_single_files_of_a_release_take_effect_with_the_next_request(shop: Tenant) -> None:
    error = in_node("esbuild")
    before = symbolicate(shop, error.frames, release=RELEASE)
    assert {frame["diagnosis"]["verdict"] for frame in before["stacktraces"][0]["frames"]} == {"script_missing"}

    for name, (_, content) in files_of("esbuild").items():
        upload_file(shop, f"~{folder_of(error)}/{name}", content)

    assert is_readable(symbolicate(shop, error.frames, release=RELEASE))
    other = symbolicate(shop, error.frames, release="shop@2.0")["stacktraces"][0]["frames"][0]["diagnosis"]
    assert {miss["kind"] for miss in other["near_misses"]} >= {"other_release"}


@pytest.mark.parametrize("build", ["sentry", "backtrace"])
def test_a_bundle_is_found_by_injected_debug_ids_without_a_release(shop: Tenant, build: str) -> None:
    error = in_node(build)
    ids = {module["code_file"].rpartition("/")[2]: module["debug_id"] for module in error.modules}
    listed = {
        name: (kind, f"~/{name}", {"debug-id": ids[name.removesuffix(".map")]}, content)
        for name, (kind, content) in files_of(build).items()
    }
    upload_bundle(shop, bundle_of(listed))

    answer = symbolicate(shop, error.frames, modules=error.modules)

    assert is_readable(answer)
    assert {frame["data"]["resolved_with"] for frame in answer["stacktraces"][0]["frames"]} == {"debug-id"}


@pytest.mark.parametrize(
    "source_map",
    [
        b"\xef\xbb\xbf" + map_bytes(),
        map_bytes().decode().encode("utf-16"),
        b'{"version":3,"sections":' + b"[" * 1_000_000,
        map_bytes(mappings="A" * 5_000_000),
        b"<!DOCTYPE html>",
    ],
    ids=["byte order mark", "utf-16", "nested", "one endless number", "another page"],
)
def test_a_map_that_cannot_be_read_is_named(shop: Tenant, source_map: bytes) -> None:
    upload_file(shop, "~/app.min.js", SCRIPT)
    upload_file(shop, "~/app.min.js.map", source_map)
    frame = {"abs_path": "https://shop.test/app.min.js", "lineno": 1, "colno": 20}

    answer = symbolicate(shop, [frame], release=RELEASE)

    assert [error["type"] for error in answer["errors"]] == ["malformed_sourcemap"]
    assert answer["stacktraces"][0]["frames"][0]["diagnosis"]["verdict"] == "map_malformed"


def test_a_script_that_ends_its_parser_costs_names_and_no_more(shop: Tenant) -> None:
    upload_file(shop, "~/app.min.js", b"(" * 100_000 + b"\n" + SCRIPT)
    upload_file(shop, "~/app.min.js.map", map_bytes(mappings=";AAAA,SAASA,IACP,MAAMC"))
    frame = {"abs_path": "https://shop.test/app.min.js", "lineno": 2, "colno": 20, "function": "a"}

    (found,) = symbolicate(shop, [frame], release=RELEASE)["stacktraces"][0]["frames"]

    assert (found["function"], found["lineno"], found["context_line"]) == ("a", 2, "  throw broken();")


def test_a_bundle_with_a_bomb_costs_its_own_file_only(shop: Tenant) -> None:
    bomb = ("source_map", "~/bomb.js.map", {"debug-id": ID}, b" " * (300 << 20))
    script = ("minified_source", "~/bomb.js", {"debug-id": ID, "sourcemap": "bomb.js.map"}, SCRIPT)
    good = ("minified_source", "~/app.min.js", {}, SCRIPT)
    map_file = ("source_map", "~/app.min.js.map", {}, map_bytes())
    upload_bundle(shop, bundle_of({"a": bomb, "b": script, "c": good, "d": map_file}, release=RELEASE))
    frames = [
        {"abs_path": f"https://shop.test/{name}.js", "lineno": 1, "colno": 20, "function": "a"}
        for name in ("bomb", "app.min")
    ]
    modules = [{"type": "sourcemap", "code_file": frames[0]["abs_path"], "debug_id": ID}]

    answer = symbolicate(shop, frames, modules=modules, release=RELEASE)

    broken, whole = answer["stacktraces"][0]["frames"]
    assert (broken["data"]["symbolicated"], broken["diagnosis"]["verdict"]) == (False, "map_malformed")
    assert (whole["function"], whole["lineno"]) == ("start", 2)


def test_a_bundle_of_many_files(shop: Tenant) -> None:
    files = {f"f/{number}": ("source", f"~/{number}.js", {}, b"x") for number in range(BUNDLE_FILES)}
    files["m"] = ("source_map", "~/app.min.js.map", {}, map_bytes())
    files["s"] = ("minified_source", "~/app.min.js", {}, SCRIPT)
    upload_bundle(shop, bundle_of(files, release=RELEASE))
    frame = {"abs_path": "https://shop.test/app.min.js", "lineno": 1, "colno": 20}

    (found,) = symbolicate(shop, [frame], release=RELEASE)["stacktraces"][0]["frames"]

    assert (found["function"], found["data"]["resolved_with"]) == ("start", "release")


def test_lookup_tables_lie_on_the_disk_of_the_cache(shop: Tenant, service: Service) -> None:
    upload_file(shop, "~/app.min.js", SCRIPT)
    upload_file(shop, "~/app.min.js.map", map_bytes())
    symbolicate(shop, [{"abs_path": "https://shop.test/app.min.js", "lineno": 1, "colno": 20}], release=RELEASE)

    place = str(service.data_dir / "cache" / "tmp")
    parent = service.child("symbolsvc: web")
    mapped = [Path(f"/proc/{pid}/maps").read_text() for pid in children_of(parent)]
    assert any(f"{place}/" in text for text in mapped)
    assert list((service.data_dir / "cache" / "tmp").iterdir()) == []


def test_redirects_in_a_circle_and_sites_that_send_anything_end(shop: Tenant, server: WebServer) -> None:
    for here, there in (("/a.js", "/b.js"), ("/b.js", "/a.js"), ("/self.js", "/self.js")):
        server.routes[here] = reply("302 Found", Location=there)
    server.routes["/wide.js"] = reply(body=SCRIPT.decode().encode("utf-16"))
    paths = ("/a.js", "/self.js", "/wide.js", "/none.js")
    frames = [{"abs_path": server.url + path, "lineno": 1, "colno": 1} for path in paths]

    answer = symbolicate(shop, frames)

    reasons = {attempt["url"].removeprefix(server.url): attempt["reason"] for attempt in answer["scraping_attempts"]}
    assert reasons == {
        "/a.js": "download_error",
        "/self.js": "download_error",
        "/wide.js": "other",
        "/none.js": "not_found",
    }
    assert {error["type"] for error in answer["errors"]} == {"missing_source"}
    assert server.paths.count("/self.js") < 50


def test_stacks_of_an_obfuscated_program_are_those_that_were_written(shop: Tenant) -> None:
    uuid = str(uuid4())
    answer = shop.post(f"{shop.project_url}/debug-files/?name=mapping.txt&debug_id={uuid}", mapping_of("optimized"))
    assert answer.status == 201, answer.body
    (shown,) = answer.json()
    assert (shown["debugId"], shown["symbolType"]) == (uuid, "proguard")
    traces = thrown("optimized")
    request = {
        "exceptions": [trace["exception"] for trace in traces],
        "stacktraces": traces,
        "modules": [{"uuid": uuid, "type": "proguard"}, {"uuid": str(uuid4()), "type": "source"}],
        "release_package": "shop",
        "classes": ["a.c", "a.zz", "shop.Main"],
        "options": {"frame_order": "callee_first"},
    }

    found = shop.post(f"{shop.project_url}/symbolicate-jvm/", request).json()

    assert [places(trace) for trace in found["stacktraces"]] == [places(trace) for trace in written()]
    assert found["exceptions"] == [trace["exception"] for trace in written()]
    assert found["classes"] == {"a.c": "shop.Rates$Rate", "shop.Main": "shop.Main"}
    assert found["errors"] == []
    frames = [frame for trace in found["stacktraces"] for frame in trace["frames"]]
    assert {frame.get("in_app") for frame in frames} == {True}
    assert not any("diagnosis" in frame for frame in frames)


def test_a_mapping_without_an_id_gets_the_one_that_build_tools_write_into_apps(shop: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "mapping.txt"
    path.write_bytes(mapping_of("plain"))

    (shown,) = shop.post(f"{shop.project_url}/debug-files/?name=mapping.txt", path.read_bytes()).json()

    assert shown["debugId"] == str(ProguardMapper.open(str(path)).uuid)
