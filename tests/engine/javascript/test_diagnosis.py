"""Why frames are not readable: what was looked for, what nearly matched, and what to do."""

from __future__ import annotations

import pytest

from engine.javascript.artifacts import ListedFile, NearMiss
from tests.engine.javascript.serving import SCRIPT, ask, frame, map_bytes, only_frame, request_of

URL = "https://app.test/static/app.min.js"


@pytest.fixture
def app(artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT, id="app/script")
    artifacts.add_file("~/static/app.min.js.map", map_bytes(), id="app/map")
    return artifacts


def diagnosis_of(js, artifacts, *frames, **fields):
    answer = ask(js, artifacts.provider(token=str(fields)), request_of(*frames, **fields), explain=True)
    return only_frame(answer).get("diagnosis")


def test_readable_frames_have_no_diagnosis(js, app):
    assert diagnosis_of(js, app, frame()) is None


def test_without_explaining_there_is_none(js, artifacts):
    assert "diagnosis" not in only_frame(ask(js, artifacts.provider(), request_of(frame())))


@pytest.mark.parametrize(
    ("at", "files", "verdict", "kind"),
    [
        (frame(0), {}, "no_line", None),
        (frame(), {}, "script_missing", "minified_source"),
        (frame(), {"app.min.js": b"x()"}, "no_map_reference", "minified_source"),
        (frame(), {"app.min.js": SCRIPT}, "map_missing", "source_map"),
        (frame(), {"app.min.js": SCRIPT, "app.min.js.map": b"{"}, "map_malformed", "source_map"),
        (frame(9), {"app.min.js": SCRIPT, "app.min.js.map": map_bytes()}, "no_token", "source_map"),
        (
            frame(),
            {"app.min.js": SCRIPT, "app.min.js.map": map_bytes(sourcesContent=None)},
            "source_missing",
            "source",
        ),
        (
            frame(),
            {"app.min.js": SCRIPT, "app.min.js.map": map_bytes(sourcesContent=["one"])},
            "line_out_of_range",
            "source_map",
        ),
    ],
)
def test_a_diagnosis_says_what_was_looked_for_and_what_to_do(js, artifacts, at, files, verdict, kind):
    for name, content in files.items():
        artifacts.add_file(f"~/static/{name}", content, id=f"{verdict}/{name}")
    found = diagnosis_of(js, artifacts, at, dist="d")
    assert found["verdict"] == verdict
    assert found["text"].endswith(".")
    assert found["remedy"].endswith(".")
    assert [looked["kind"] for looked in found.get("looked_for", [])] == ([kind] if kind else [])
    assert all((looked["release"], looked["dist"]) == ("1.0", "d") for looked in found.get("looked_for", []))


def test_a_diagnosis_names_the_debug_id_and_the_rule_that_stood_in_the_way(js, artifacts):
    identity = "85314830-023f-4cf1-a267-535f4e37bb17"
    modules = [{"type": "sourcemap", "code_file": URL, "debug_id": identity.upper()}]
    found = diagnosis_of(js, artifacts, frame(), modules=modules)
    assert found["looked_for"][0]["debug_id"] == identity
    assert found["looked_for"][0]["problem"] == "scraping is disabled"
    assert "scraping" in found["remedy"]


class Shelf:
    """A provider that has one file of the wrong release, and says so."""

    id = "uploads"
    cache_key = "0" * 80

    def lookup(self, query, deadline):
        return [ListedFile("s", "", "~/static/app.min.js", {}, "url")]

    def fetch(self, listed, target, deadline):
        target.write(SCRIPT)

    def near_misses(self, query):
        return [NearMiss("other_release", f"{query.kind.value} of release 0.9 has {query.urls[-1]}.")]


def test_near_misses_of_a_provider_are_told(js):
    answer = ask(js, Shelf(), request_of(frame()), explain=True)
    found = only_frame(answer)["diagnosis"]
    assert found["near_misses"] == [
        {"kind": "other_release", "text": "source_map of release 0.9 has ~/static/app.min.js.map."}
    ]
