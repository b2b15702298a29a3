"""Which artifact serves a file: bundles before single files, ids before URLs, newest first; and what is broken."""

from __future__ import annotations

import base64
import gzip

import pytest

from engine.caches import Selection, purge
from tests.engine.javascript.serving import SCRIPT, ask, bundle, frame, map_bytes, only_frame, request_of

ID = "85314830-023f-4cf1-a267-535f4e37bb17"
URL = "https://app.test/static/app.min.js"
PLAIN = b"function a(){throw b()}"
BY_ID = {"type": "sourcemap", "code_file": URL, "debug_id": ID}


def script(content=SCRIPT, url="~/static/app.min.js", **headers):
    return {
        "type": "minified_source",
        "url": url,
        "headers": {k.replace("_", "-"): v for k, v in headers.items()},
    }, content


def source_map(content=None, url="~/static/app.min.js.map", **headers):
    entry = {"type": "source_map", "url": url, "headers": {k.replace("_", "-"): v for k, v in headers.items()}}
    return entry, map_bytes() if content is None else content


def resolved(answer):
    return only_frame(answer)["data"].get("resolved_with")


def test_a_bundle_found_by_release(js, artifacts):
    artifacts.add_bundle("artifact_bundle/1", bundle({"a": script(), "b": source_map()}))
    answer = ask(js, artifacts.provider(), request_of(frame()))
    assert only_frame(answer)["data"] == {
        "sourcemap": URL + ".map",
        "sourcemap_origin": {
            "bundled": ["sentry://project_debug_file/artifact_bundle/1", {"source_map": {"abs_path": URL + ".map"}}]
        },
        "resolved_with": "release",
        "symbolicated": True,
    }
    assert [attempt["status"] for attempt in answer["scraping_attempts"]] == ["not_attempted"] * 2


def test_a_bundle_found_by_debug_id(js, artifacts):
    """The files have other URLs than the frame; the map needs no reference."""
    artifacts.add_bundle(
        "b/1", bundle({"a": script(PLAIN, "~/x.js", debug_id=ID), "b": source_map(None, "~/x.js.map", Debug_Id=ID)})
    )
    request = request_of(frame(), modules=[BY_ID], release=None)
    answer = ask(js, artifacts.provider(), request)
    data = only_frame(answer)["data"]
    assert (data["resolved_with"], data["sourcemap"]) == ("debug-id", URL)
    assert data["sourcemap_origin"]["bundled"][1] == {"source_map": {"debug_id": ID}}
    assert [attempt["url"] for attempt in answer["scraping_attempts"]] == [URL]
    assert artifacts.questions[0] == {"debug_id": [ID]}


def test_an_id_goes_before_a_url(js, artifacts):
    by_url = bundle({"a": script(), "b": source_map(map_bytes(sources=["by-url.js"]))})
    by_id = bundle({"a": script(debug_id=ID), "b": source_map(map_bytes(sources=["by-id.js"]), debug_id=ID)})
    artifacts.add_bundle("b/9", by_url)
    artifacts.add_bundle("b/1", by_id)
    answer = ask(js, artifacts.provider(), request_of(frame(), modules=[BY_ID]))
    assert only_frame(answer)["filename"] == "by-id.js"


def test_bundles_go_by_id_as_text_from_the_end(js, artifacts):
    for number in (10, 9, 1):
        content = map_bytes(sources=[f"{number}.js"])
        artifacts.add_bundle(f"b/{number}", bundle({"a": script(), "b": source_map(content)}))
    assert only_frame(ask(js, artifacts.provider(), request_of(frame())))["filename"] == "9.js"


def test_a_url_with_its_query_goes_before_the_one_without_in_any_bundle(js, artifacts):
    artifacts.add_bundle("b/2", bundle({"a": script(b"//# sourceMappingURL=no.map"), "b": source_map()}))
    artifacts.add_bundle("b/1", bundle({"a": script(url="~/static/app.min.js?v=1"), "b": source_map()}))
    answer = ask(js, artifacts.provider(), request_of(frame(abs_path=URL + "?v=1")))
    assert only_frame(answer)["data"]["symbolicated"]


def test_bundles_go_before_single_files(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT, resolved_with="release-old")
    artifacts.add_file("~/static/app.min.js.map", map_bytes(), resolved_with="release-old")
    assert resolved(ask(js, artifacts.provider(), request_of(frame()))) == "release-old"
    artifacts.add_bundle("b/1", bundle({"a": script(), "b": source_map()}), resolved_with="url")
    assert resolved(ask(js, artifacts.provider(token="2"), request_of(frame()))) == "url"


@pytest.mark.parametrize("name", ["sourcemap", "x-sourcemap", "SourceMap"])
@pytest.mark.parametrize("bundled", [True, False])
def test_a_header_names_the_map_before_a_comment_does(js, artifacts, name, bundled):
    content = b"x()//# sourceMappingURL=other.map"
    if bundled:
        entry = {"type": "minified_source", "url": "~/static/app.min.js", "headers": {name: "app.min.js.map"}}
        artifacts.add_bundle("b/1", bundle({"a": (entry, content), "b": source_map()}))
    else:
        artifacts.add_file("~/static/app.min.js", content, **{name: "app.min.js.map"})
        artifacts.add_file("~/static/app.min.js.map", map_bytes())
    assert only_frame(ask(js, artifacts.provider(token=name), request_of(frame())))["lineno"] == 2


def test_a_map_in_the_comment_itself(js, artifacts):
    url = b"//# sourceMappingURL=data:application/json;base64," + base64.b64encode(map_bytes())
    artifacts.add_file("~/static/app.min.js", PLAIN + b"\n" + url)
    data = only_frame(ask(js, artifacts.provider(), request_of(frame())))["data"]
    assert (data["sourcemap"], data["sourcemap_origin"], data["resolved_with"]) == (URL, "embedded", "release")


def test_a_broken_data_url_of_a_comment_is_ignored(js, artifacts):
    artifacts.add_file("~/static/app.min.js", PLAIN + b"//# sourceMappingURL=data:;base64,x")
    answer = ask(js, artifacts.provider(), request_of(frame()))
    assert "errors" not in answer
    assert only_frame(answer)["data"] == {"symbolicated": False}


def test_a_broken_data_url_of_a_header_in_a_bundle_spoils_the_file(js, artifacts):
    artifacts.add_bundle("b/1", bundle({"a": script(sourcemap="data:;base64,x")}))
    assert ask(js, artifacts.provider(), request_of(frame()))["errors"] == [{"abs_path": URL, "type": "missing_source"}]


@pytest.mark.parametrize("in_modules", [True, False])
def test_a_debug_id_of_a_comment_counts_unless_the_modules_have_one(js, artifacts, in_modules):
    other = "11111111-023f-4cf1-a267-535f4e37bb17"
    artifacts.add_file("~/static/app.min.js", PLAIN + f"\n//# debugId={ID}".encode())
    modules = [BY_ID | {"debug_id": other}] if in_modules else []
    answer = ask(js, artifacts.provider(), request_of(frame(), modules=modules))
    assert answer["errors"] == [{"abs_path": URL, "type": "missing_sourcemap"}]
    asked = [question["debug_id"] for question in artifacts.questions if "debug_id" in question]
    assert asked[-1] == [other if in_modules else ID]


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "absent"])
def test_bytecode_is_stored_as_a_file_without_content(js, artifacts, content):
    artifacts.add_file("~/static/app.min.js", content, sourcemap="app.min.js.map")
    artifacts.add_file("~/static/app.min.js.map", map_bytes())
    assert only_frame(ask(js, artifacts.provider(), request_of(frame())))["lineno"] == 2


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "absent"])
def test_without_headers_it_is_missing(js, artifacts, content):
    artifacts.add_file("~/static/app.min.js", content)
    assert ask(js, artifacts.provider(), request_of(frame()))["errors"][0]["type"] == "missing_source"


@pytest.mark.parametrize(
    "content",
    [b"", b"SYSB", b"PK\3\4", b"\x1f\x8b broken", bundle({"a": script()})[:-30], b"SYSB" + b"\0" * 1000],
    ids=["empty", "header", "zip", "gzip", "cut", "zeros"],
)
def test_a_bundle_that_is_none_does_not_hide_the_others(js, artifacts, content):
    artifacts.add_bundle("b/2", content)
    artifacts.add_bundle("b/1", bundle({"a": script(), "b": source_map()}))
    assert only_frame(ask(js, artifacts.provider(), request_of(frame())))["lineno"] == 2


def test_a_broken_file_of_a_bundle_ends_the_search(js, artifacts):
    artifacts.add_bundle("b/2", bundle({"a": script(b"\xff\xfe")}))
    artifacts.add_bundle("b/1", bundle({"a": script(), "b": source_map()}))
    answer = ask(js, artifacts.provider(), request_of(frame()))
    assert [error["type"] for error in answer["errors"]] == ["missing_source"]
    assert answer["scraping_attempts"] == [{"url": URL, "status": "not_attempted"}]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + map_bytes(), map_bytes().decode().encode("utf-16"), b"{", b""])
def test_a_malformed_map_tells_where_it_came_from(js, artifacts, content):
    artifacts.add_bundle("b/1", bundle({"a": script(), "b": source_map(content)}))
    answer = ask(js, artifacts.provider(), request_of(frame()))
    assert answer["errors"] == [{"abs_path": URL, "type": "malformed_sourcemap", "url": URL + ".map"}]
    assert not only_frame(answer)["data"]["symbolicated"]


def test_its_origin_stands_in_both_stacks(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT)
    artifacts.add_file("~/static/app.min.js.map", b"{")
    answer = ask(js, artifacts.provider(), request_of(frame()))
    expected = {
        "sourcemap_origin": {"individual_file": "sentry://project_debug_file/release_file/1"},
        "resolved_with": "release",
        "symbolicated": False,
    }
    assert only_frame(answer)["data"] == expected
    assert answer["raw_stacktraces"][0]["frames"][0]["data"] == expected


def test_packed_files_are_unpacked(js, artifacts):
    artifacts.add_file("~/static/app.min.js", gzip.compress(SCRIPT))
    artifacts.add_file("~/static/app.min.js.map", gzip.compress(map_bytes()))
    assert only_frame(ask(js, artifacts.provider(), request_of(frame())))["lineno"] == 2


def test_each_question_is_asked_once_and_each_file_fetched_once(js, artifacts):
    artifacts.add_bundle("b/1", bundle({"a": script(), "b": source_map()}))
    request = request_of(*[frame(column=column) for column in range(1, 20)])
    for _ in range(3):
        ask(js, artifacts.provider(token="once"), request)
    assert len(artifacts.questions) == 1
    assert artifacts.server.paths.count("/files/b/1") == 1


def test_organizations_do_not_see_each_other_s_files(js, artifacts):
    """One server, one id, one token; what one organization fetched is not given to the other."""
    artifacts.add_file("~/static/app.min.js", SCRIPT, id="same")
    ask(js, artifacts.provider(owner="acme"), request_of(frame()))
    artifacts.server.routes["/files/same"] = artifacts.server.routes["/files/none"] = lambda *_: None
    answer = ask(js, artifacts.provider(owner="umbrella"), request_of(frame()))
    assert "context_line" not in answer["raw_stacktraces"][0]["frames"][0]
    answer = ask(js, artifacts.provider(owner="acme"), request_of(frame()))
    assert answer["raw_stacktraces"][0]["frames"][0]["context_line"] == PLAIN.decode()


def test_scopes_do_not_share_files(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT, id="scoped")
    for scope in ("one", "two", "two"):
        ask(js, artifacts.provider(), request_of(frame()), scope=scope)
    assert artifacts.server.paths.count("/files/scoped") == 2


def test_a_purge_makes_files_and_answers_unknown(js, js_store, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT, id="purged")
    provider = artifacts.provider(token="purge")
    ask(js, provider, request_of(frame()))
    purge(js_store.cache_dir, Selection.of(owner="acme"))
    ask(js, provider, request_of(frame()))
    assert artifacts.server.paths.count("/files/purged") == 2
    assert len(artifacts.questions) >= 2
