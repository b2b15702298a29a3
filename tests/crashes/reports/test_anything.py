"""Whatever a client sends: a report is read, or said to be unreadable."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crashes.reports import UnreadableReport, events, json_reports
from crashes.reports.context import Context
from crashes.reports.shaping import outcome_of
from crashes.results import packed, unpacked
from crashes.rules import default_rules
from engine.outgoing import Deadline
from symbolication import stored

TEXT = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["main", "python", "node", "java", "c++", "sourcemap", "proguard", "rel:0", "0x10", "1", "true", "a.b.c", "/x/y.so"]
    + ["http://u:p@h/a.js", "26f1d9c2-43ae-4f5f-9a0a-0b1f3f6f7a11", "native", "javascript", "elf", "all"]
)
SCALAR = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT
ANY = st.recursive(SCALAR, lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3), max_leaves=5)


def shaped(**fields):
    """An object that has these fields, or most of them."""
    return st.fixed_dictionaries(fields)


def listed(made):
    return st.lists(made, min_size=1, max_size=3)


@st.composite
def spoiled(draw, made):
    """What `made` makes, with some of its parts replaced by anything, or gone."""
    value = draw(made)
    for _ in range(draw(st.integers(0, 3))):
        at = value
        for _ in range(draw(st.integers(0, 6))):
            places = list(at) if isinstance(at, dict) else range(len(at)) if isinstance(at, list) else ()
            if not places:
                break
            place = draw(st.sampled_from(list(places)))
            inner = at[place]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                at[place] = draw(ANY)
                break
            at = inner
    return draw(ANY) if draw(st.integers(0, 50)) == 50 else value


FRAME = shaped(
    funcName=TEXT, address=SCALAR, line=SCALAR, column=SCALAR, library=TEXT, sourceCode=TEXT, debug_identifier=TEXT,
    guessed_frame=SCALAR, registers=st.dictionaries(TEXT, SCALAR, max_size=2),
)  # fmt: skip
REPORT = shaped(
    lang=TEXT,
    mainThread=TEXT,
    symbolication=TEXT,
    threads=st.dictionaries(TEXT, shaped(name=TEXT, fault=SCALAR, stack=listed(FRAME)), min_size=1, max_size=2),
    sourceCode=st.dictionaries(TEXT, shaped(text=TEXT, startLine=SCALAR, path=TEXT), max_size=2),
    modules=listed(shaped(start=SCALAR, size=SCALAR, code_file=TEXT, debug_file=TEXT, debug_identifier=TEXT)),
    attributes=st.dictionaries(TEXT | st.sampled_from(["symbolication_id", "release", "dist"]), SCALAR, max_size=3),
    annotations=ANY,
    arch=ANY,
    body=ANY,
)
EVENT_FRAME = shaped(
    function=TEXT, module=TEXT, filename=TEXT, abs_path=TEXT, lineno=SCALAR, colno=SCALAR, instruction_addr=SCALAR,
    addr_mode=TEXT, package=TEXT, platform=TEXT, in_app=SCALAR, trust=TEXT, pre_context=listed(TEXT), context_line=TEXT,
)  # fmt: skip
TRACE = shaped(frames=listed(EVENT_FRAME), registers=ANY, instruction_addr_adjustment=TEXT)
EVENT = shaped(
    platform=TEXT,
    release=TEXT,
    dist=TEXT,
    exception=shaped(values=listed(shaped(type=TEXT, value=TEXT, module=TEXT, thread_id=SCALAR, stacktrace=TRACE))),
    threads=shaped(values=listed(shaped(id=SCALAR, name=TEXT, crashed=SCALAR, current=SCALAR, stacktrace=TRACE))),
    stacktrace=TRACE,
    debug_meta=shaped(
        images=listed(
            shaped(type=TEXT, code_file=TEXT, debug_id=TEXT, code_id=TEXT, image_addr=SCALAR, image_size=SCALAR)
        )
    ),
    contexts=ANY,
    message=ANY,
    logentry=ANY,
)


ID = "26f1d9c2-43ae-4f5f-9a0a-0b1f3f6f7a11"
NATIVE_AND_SCRIPT = {
    "threads": {"1": {"stack": [{"address": "16"}, {"library": "/a.js", "line": 1, "debug_identifier": ID}]}},
    "modules": [{"start": 0, "size": 256, "code_file": "/x.so"}],
}
JVM = {
    "lang": "java",
    "attributes": {"symbolication_id": ID},
    "threads": {"1": {"stack": [{"funcName": "a.b.c", "line": 1}]}},
}
ALL_KINDS = {
    "platform": "native",
    "stacktrace": {
        "frames": [
            {"instruction_addr": "0x10"},
            {"platform": "node", "abs_path": "/a.js", "lineno": 1},
            {"platform": "java", "module": "a.b", "function": "c"},
        ]
    },
    "debug_meta": {"images": [{"type": "proguard", "uuid": ID}, {"type": "elf", "image_addr": 0, "image_size": 256}]},
}

# A register's name is half of a pair of surrogates, which no text that is stored may hold.
HALVED = "r\udeef"
HALVED_REPORT = {"threads": {"1": {"stack": [{"address": "16", "registers": {HALVED: "1"}}]}}}
HALVED_EVENT = {
    "platform": "native",
    "stacktrace": {"frames": [{"instruction_addr": "0x10"}], "registers": {HALVED: "0x1"}},
}


@pytest.fixture
def engines(monkeypatch):
    """Engines that answer as without any files: what is tested is how they are asked. The names of those that were."""
    asked = set()

    def native(_access, request, _deadline):
        asked.add("native")
        stacks = [
            {"frames": [{"original_index": at, "status": "missing"} for at, _ in enumerate(stack.frames)]}
            for stack in request.stacktraces
        ]
        return stored.Answered(msgspec.json.encode({"stacktraces": stacks, "modules": []}))

    def javascript(_access, request, _deadline):
        asked.add("javascript")
        stacks = [{"frames": msgspec.to_builtins(frames)} for frames in request.stacktraces]
        return stored.Answered(msgspec.json.encode({"stacktraces": stacks}))

    def jvm(_access, request, _deadline):
        asked.add("jvm")
        said = {"exceptions": request.exceptions, "stacktraces": request.stacktraces, "errors": []}
        return stored.Answered(msgspec.json.encode(said))

    for name, made in {"native": native, "javascript": javascript, "jvm": jvm}.items():
        monkeypatch.setattr(stored, name, made)
    yield asked
    # By the examples at least: else nothing was tested.
    assert asked == {"native", "javascript", "jvm"}


CONTEXT = Context(None, default_rules())  # type: ignore[arg-type]


def made_of(material):
    outcome = outcome_of(material, CONTEXT, {}, Deadline.after(60))
    assert unpacked(packed(outcome.result)).platform == outcome.result.platform
    assert "\x00" not in repr(outcome.facts)


def written(report):
    return json.dumps(report).encode()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(report=spoiled(REPORT))
@example(report=NATIVE_AND_SCRIPT)
@example(report=JVM)
@example(report=HALVED_REPORT)
def test_any_report_of_backtraces_is_read_or_said_to_be_unreadable(report, engines):
    try:
        found = json_reports.read_object(written(report))
    except UnreadableReport:
        return
    attributes = found.get("attributes")
    made_of(json_reports._material(found, attributes if isinstance(attributes, dict) else {}, CONTEXT))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(event=spoiled(EVENT))
@example(event=ALL_KINDS)
@example(event=HALVED_EVENT)
def test_any_event_of_sentrys_is_read_or_said_to_be_unreadable(event, engines):
    try:
        found = json_reports.read_object(written(event))
    except UnreadableReport:
        return
    made_of(events._material(found, CONTEXT))
