"""Frames from start to end: both lists, both orders, errors, names of callers, source context."""

from __future__ import annotations

import json
import threading

import pytest

from engine.errors import DeadlineExceeded
from engine.outgoing import Deadline
from tests.engine.javascript.serving import MAP, SCRIPT, SOURCE, ask, frame, map_bytes, only_frame, request_of
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import hang

URL = "https://app.test/static/app.min.js"


@pytest.fixture
def app(artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT, id="app/script")
    artifacts.add_file("~/static/app.min.js.map", map_bytes(), id="app/map")
    return artifacts


def raw_frame(answer):
    return answer["raw_stacktraces"][0]["frames"][0]


def test_a_frame_and_its_raw_twin(js, app):
    answer = ask(js, app.provider(), request_of(frame(function="a", in_app=True)))
    assert answer["status"] == "completed"
    assert only_frame(answer) == {
        "abs_path": "https://app.test/static/src/app.js",
        "lineno": 2,
        "colno": 9,
        "function": "start",
        "filename": "src/app.js",
        "module": "src/app",
        "pre_context": ["function start() {"],
        "context_line": "  throw broken();",
        "post_context": ["}"],
        "data": {
            "sourcemap": URL + ".map",
            "sourcemap_origin": {"individual_file": "sentry://project_debug_file/app/map"},
            "resolved_with": "release",
            "symbolicated": True,
        },
    }
    assert raw_frame(answer) == {
        "abs_path": URL,
        "lineno": 1,
        "colno": 20,
        "function": "a",
        "context_line": "function a(){throw b()}",
        "post_context": ["//# sourceMappingURL=app.min.js.map"],
        "data": {"symbolicated": False},
    }


@pytest.mark.parametrize("column", [0, 1, None])
def test_columns_of_zero_and_one_and_none_are_the_first(js, app, column):
    assert only_frame(ask(js, app.provider(), request_of(frame(column=column))))["lineno"] == 1


@pytest.mark.parametrize(("column", "told"), [(7, 7), (None, None), (0, 0)])
def test_line_zero_is_refused_before_anything_is_fetched(js, app, column, told):
    answer = ask(js, app.provider(), request_of(frame(0, column)))
    assert answer["errors"] == [{"abs_path": URL, "type": "invalid_location", "line": 0, "col": told}]
    assert app.server.paths == []


@pytest.mark.parametrize(("column", "told"), [(7, 7), (None, 0)])
def test_a_position_that_the_map_does_not_know(js, app, column, told):
    answer = ask(js, app.provider(), request_of(frame(9, column)))
    assert answer["errors"] == [{"abs_path": URL, "type": "invalid_location", "line": 9, "col": told}]
    assert only_frame(answer)["data"] == {"symbolicated": False}


def test_frames_that_failed_show_the_minified_lines_too(js, app):
    """The answer to a failed frame is a copy of the raw one, made after that got its context."""
    app.server.routes["/files/app/map"] = lambda *_: None
    answer = ask(js, app.provider(token="failed"), request_of(frame()), scope="failed")
    assert only_frame(answer)["context_line"] == raw_frame(answer)["context_line"] == "function a(){throw b()}"


def test_frames_without_a_map_stay_as_they_came(js, artifacts):
    artifacts.add_file("~/static/app.min.js", b"plain()", id="plain")
    given = frame(column=3, function="f", pre_context=["kept"], data={"sourcemap": "kept"})
    answer = ask(js, artifacts.provider(), request_of(given))
    assert only_frame(answer) == given | {"data": {"sourcemap": "kept", "symbolicated": False}}
    assert raw_frame(answer)["context_line"] == "plain()"
    assert "errors" not in answer


def test_without_source_context_no_lines_are_added_or_fetched(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(sourcesContent=None))
    answer = ask(js, artifacts.provider(), request_of(frame(), options={"apply_source_context": False}))
    assert "context_line" not in only_frame(answer)
    assert "context_line" not in raw_frame(answer)
    assert "errors" not in answer
    assert len(artifacts.questions) == 1


def test_async_in_front_of_a_path_is_dropped(js, app):
    answer = ask(js, app.provider(), request_of(frame(abs_path="async " + URL)))
    assert only_frame(answer)["data"]["symbolicated"]
    assert raw_frame(answer)["abs_path"] == URL


def names(answer, key="stacktraces"):
    return [found.get("function") for found in answer[key][0]["frames"]]


@pytest.mark.parametrize("order", ["caller_first", "callee_first"])
def test_what_a_caller_calls_names_the_anonymous_function_it_called(js, artifacts, order):
    """`b` of the outer frame maps to `broken`, and the inner frame is anonymous."""
    script = b"function a(){throw b()}(()=>{c()})()//# sourceMappingURL=app.min.js.map"
    artifacts.add_file("~/static/app.min.js", script)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(mappings=MAP["mappings"] + ",OAAA"))
    frames = [frame(column=20, function="outer"), frame(column=30, function="inner")]
    frames = frames if order == "caller_first" else frames[::-1]
    answer = ask(js, artifacts.provider(token=order), request_of(*frames, options={"frame_order": order}), scope=order)
    expected = ["start", "broken"] if order == "caller_first" else ["broken", "start"]
    raw = ["outer", "inner"] if order == "caller_first" else ["inner", "outer"]
    assert (names(answer), names(answer, "raw_stacktraces")) == (expected, raw)


def test_an_error_in_between_breaks_the_chain(js, artifacts):
    script = b"function a(){throw b()}(()=>{c()})()//# sourceMappingURL=app.min.js.map"
    artifacts.add_file("~/static/app.min.js", script)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(mappings=MAP["mappings"] + ",OAAA"))
    frames = [frame(column=20), frame(line=7), frame(column=30, function="inner")]
    assert names(ask(js, artifacts.provider(), request_of(*frames), scope="chain"))[-1] == "inner"


def test_a_source_without_content_is_looked_for_as_a_file(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(sourcesContent=[None]))
    artifacts.add_file("~/static/src/app.js", SOURCE.upper().encode())
    answer = ask(js, artifacts.provider(), request_of(frame(), frame(column=1)))
    assert [found["context_line"] for found in answer["stacktraces"][0]["frames"]] == [
        "  THROW BROKEN();",
        "FUNCTION START() {",
    ]
    tried = [attempt["url"].rpartition("/")[2] for attempt in answer["scraping_attempts"]]
    assert tried == ["app.min.js", "app.min.js.map", "app.js"]


def test_a_source_that_nobody_has(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(sourcesContent=[None]))
    answer = ask(js, artifacts.provider(), request_of(frame(), frame()))
    assert answer["errors"] == [
        {
            "abs_path": URL,
            "type": "missing_source_content",
            "source": "https://app.test/static/src/app.js",
            "sourcemap": URL + ".map",
        }
    ]
    assert only_frame_of(answer, 0)["data"]["symbolicated"]


def only_frame_of(answer, index):
    return answer["stacktraces"][0]["frames"][index]


def test_an_empty_source_is_a_source(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(sourcesContent=[""]))
    answer = ask(js, artifacts.provider(), request_of(frame()))
    assert "errors" not in answer
    assert "context_line" not in only_frame(answer)


def test_sources_without_names_leave_path_and_file_alone(js, artifacts):
    artifacts.add_file("~/static/app.min.js", SCRIPT)
    artifacts.add_file("~/static/app.min.js.map", map_bytes(sources=[None], sourcesContent=[None]))
    answer = ask(js, artifacts.provider(), request_of(frame(filename="mine")))
    found = only_frame(answer)
    assert (found["abs_path"], found["filename"], found["lineno"]) == (URL, "mine", 2)
    assert "errors" not in answer


def test_errors_come_once_and_sorted(js, artifacts):
    frames = [frame(0, abs_path="b"), frame(abs_path="b"), frame(abs_path="a"), frame(0, 5, "b"), frame(0, None, "b")]
    errors = ask(js, artifacts.provider(), request_of(*frames, *frames))["errors"]
    assert [(error["abs_path"], error["type"], error.get("col")) for error in errors] == [
        ("a", "missing_source", None),
        ("b", "invalid_location", None),
        ("b", "invalid_location", 5),
        ("b", "invalid_location", 20),
        ("b", "missing_source", None),
    ]


def test_several_stacks_share_what_was_fetched(js, app):
    request = request_of(stacktraces=[{"frames": [frame()]}, {"frames": []}, {"frames": [frame()]}])
    answer = ask(js, app.provider(token="stacks"), request)
    assert [len(stack["frames"]) for stack in answer["stacktraces"]] == [1, 0, 1]
    assert len(answer["scraping_attempts"]) == 2


def test_an_empty_request(js, artifacts):
    answer = ask(js, artifacts.provider(), request_of(stacktraces=[]))
    assert answer == {"status": "completed", "stacktraces": [], "raw_stacktraces": []}


def test_the_deadline_ends_a_request(js, artifacts):
    artifacts.server.routes["/api/lookup/"] = hang
    with pytest.raises(DeadlineExceeded):
        ask(js, artifacts.provider(token="slow"), request_of(frame()), seconds=0.2)


def test_threads_share_one_engine(js, app):
    answers = []

    def work():
        request = request_of(*[frame(column=column) for column in range(1, 24)])
        answers.append(json.dumps(ask(js, app.provider(), request, scope="threads")))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_a_deadline_far_away_changes_nothing(js, app):
    assert ask(js, app.provider(), request_of(frame()), seconds=Deadline.never().remaining())["status"] == "completed"


def test_bytecode_of_a_react_native_app(js, artifacts):
    """The bundle itself is bytecode: stored without content, its header tells of the map that names its offsets."""
    source_map = shared("fixtures/peers/symbolic/sourcemapcache/hermes-metro/react-native-hermes.map").read_bytes()
    artifacts.add_file("~/index.android.bundle", b"", id="rn/bundle", sourcemap="index.android.bundle.map")
    artifacts.add_file("~/index.android.bundle.map", source_map, id="rn/map")
    frames = [frame(1, column, "app:///index.android.bundle") for column in (11857, 11939)]
    answer = ask(js, artifacts.provider(), request_of(*frames))
    caller, callee = answer["stacktraces"][0]["frames"]
    assert (caller["abs_path"].rpartition("/")[2], caller["lineno"]) == ("input.js", 3)
    assert (callee["abs_path"].rpartition("/")[2], callee["lineno"], callee["function"]) == ("module.js", 2, "foo")
