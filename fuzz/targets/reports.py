"""Reports of clients: Backtrace's JSON, Sentry's events, what comes beside a dump."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from crashes.answers import Refusal
from crashes.loose_json import BadJson, read_json
from crashes.reports import UnreadableReport, events, json_reports
from crashes.reports.context import Context
from crashes.reports.shaping import outcome_of
from crashes.results import packed, unpacked
from crashes.rules import default_rules
from crashes.scrubbing import scrub_text
from crashes.sentry.answers import BadReport
from crashes.sentry.events import read_event
from crashes.sentry.loosely import json_of
from crashes.sentry.messagepack import BadMessagePack, values_of
from crashes.sentry.metadata import event_of
from crashes.submission.json_report import read_report
from engine.outgoing import Deadline
from fuzz.seeds import corpus, shared
from fuzz.target import Shape, Target
from symbolication import stored
from tests.crashes.reports.test_anything import ALL_KINDS, HALVED_EVENT, HALVED_REPORT, JVM, NATIVE_AND_SCRIPT

_FULL_REPORT = {
    "uuid": "26f1d9c2-43ae-4f5f-9a0a-0b1f3f6f7a11", "timestamp": 1700000000, "lang": "python", "mainThread": "1",
    "fingerprint": "ab" * 32, "classifiers": ["TypeError"], "symbolication": "sourcemap",
    "attributes": {"error.message": "no", "release": "1.0", "dist": "2", "hostname": "web1", "uname.sysname": "Linux"},
    "annotations": {"Environment": {"PATH": "/bin", "TOKEN": "x"}}, "arch": {"name": "x86_64"},
    "sourceCode": {"a": {"text": "line\n" * 9, "startLine": 3, "path": "/a.py"}},
    "threads": {"1": {"name": "main", "fault": True, "stack": [
        {"funcName": "f", "address": "0x10", "line": 4, "column": 2, "library": "/a.py", "sourceCode": "a",
         "guessed_frame": True, "registers": {"rip": "0x10"}}]}},
    "modules": [{"start": 0, "size": "0x100", "code_file": "/x.so", "debug_file": "x", "debug_identifier": "ab" * 16}],
}  # fmt: skip
_FULL_EVENT = {
    "event_id": "9ec79c33ec9942ab8353589fcb2e04dc", "timestamp": "2026-01-31T12:00:00Z", "platform": "python",
    "release": "a@1.0", "dist": "1", "environment": "prod", "level": "fatal", "message": "m",
    "logentry": {"formatted": "x", "message": "y"}, "fingerprint": ["{{ default }}", "{{ tags.os }}", "x"],
    "tags": [["os", "linux"]], "contexts": {"os": {"name": "Linux", "version": "6"}, "device": {"arch": "arm64"}},
    "user": {"id": "1", "email": "a@b"}, "sdk": {"name": "s", "version": "1"},
    "threads": {"values": [{"id": 1, "name": "t", "crashed": True, "current": True}]},
    "exception": {"values": [{"type": "T", "value": "v", "module": "m", "thread_id": 1,
                              "mechanism": {"meta": {"signal": {"number": 11}}},
                              "stacktrace": {"frames": [{"function": "f", "lineno": 3, "pre_context": ["a"],
                                                         "context_line": "b", "vars": {"password": "x"}}],
                                             "registers": {"rip": "0x1"}}}]},
    "breadcrumbs": {"values": [{"timestamp": 1, "message": "c"}]},
}  # fmt: skip
_WORDS = (
    b"threads stack funcName address registers library line column sourceCode debug_identifier modules start size "
    b"attributes annotations body lang python java node sourcemap values frames stacktrace raw_stacktrace exception "
    b"instruction_addr platform native javascript abs_path lineno colno in_app image_addr debug_meta images elf "
    b"proguard debug_id code_id fingerprint {{ {{default}} contexts tags user mechanism thread_id rel:0 0x10 current "
    b"crashed"
).split(b" ")


def _native(_access: Any, request: Any, _deadline: Any) -> Any:
    stacks = [
        {"frames": [{"original_index": at, "status": "missing"} for at, _ in enumerate(stack.frames)]}
        for stack in request.stacktraces
    ]
    return stored.Answered(msgspec.json.encode({"stacktraces": stacks, "modules": []}))


def _javascript(_access: Any, request: Any, _deadline: Any) -> Any:
    stacks = [{"frames": msgspec.to_builtins(frames)} for frames in request.stacktraces]
    return stored.Answered(msgspec.json.encode({"stacktraces": stacks}))


def _jvm(_access: Any, request: Any, _deadline: Any) -> Any:
    said = {"exceptions": request.exceptions, "stacktraces": request.stacktraces, "errors": []}
    return stored.Answered(msgspec.json.encode(said))


def _shaped(material: Any, context: Context) -> None:
    """What is made of a report is stored and read again, and holds no text that the database refuses."""
    # The engines answer as without any files: what is tried is how they are asked.
    with patch.multiple(stored, native=_native, javascript=_javascript, jvm=_jvm):
        outcome = outcome_of(material, context, {}, Deadline.after(600))
    assert unpacked(packed(outcome.result)).platform == outcome.result.platform
    assert "\x00" not in repr(outcome.facts)


def _context() -> Context:
    return Context(None, default_rules())  # type: ignore[arg-type]


def _backtrace(data: bytes) -> None:
    found = json_reports.read_object(data)
    attributes = found.get("attributes")
    _shaped(json_reports._material(found, attributes if isinstance(attributes, dict) else {}, _context()), _context())


def _sentry(data: bytes) -> None:
    _shaped(events._material(json_reports.read_object(data), _context()), _context())


def _event(data: bytes) -> None:
    """What an event says can be stored: texts without NUL and without halves of surrogate pairs."""
    facts = read_event(data)
    for text in (*facts.classifiers, *facts.fingerprint):
        text.encode()
        assert "\x00" not in text
    assert facts.client_fingerprint == "" or len(facts.client_fingerprint) == 64


def _submitted(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        facts = read_report(Path(file.name))
    assert isinstance(facts.attributes, Mapping)
    assert facts.fingerprint == "" or len(facts.fingerprint) == 64


def _loose(data: bytes) -> None:
    """Odd JSON that is read becomes plain JSON of the same shape."""
    plain = json_of(read_json(data))
    msgspec.json.decode(plain)


def _packed(data: bytes) -> None:
    for value in values_of(data):
        try:
            msgspec.json.decode(json_of(value))
        except BadJson:
            continue


def _form(data: bytes) -> None:
    fields: dict[str, list[str]] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition("=")
        fields.setdefault(name, []).append(value)
    json_of(event_of(fields))


def _scrubbed(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    once = scrub_text(text)
    assert scrub_text(once) == once


def _json(*values: Any) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def _reports() -> list[bytes]:
    captured = shared("captures/payloads/*.json", "captures/requests/*/body.bin", most=16 << 10)
    return [*_json(_FULL_REPORT, NATIVE_AND_SCRIPT, JVM, HALVED_REPORT, {"body": JVM}), *captured, *corpus("backtrace")]


def _events() -> list[bytes]:
    return [*_json(_FULL_EVENT, ALL_KINDS, HALVED_EVENT), *shared("peers/**/*event*.json"), *corpus("event")]


_SECRETS = b"password=hunter2 Authorization: Bearer abc.def.ghi https://u:p@h/x?token=1 4111111111111111"

TARGETS = (
    Target("backtrace report", _reports, _backtrace, (UnreadableReport,), shape=Shape.JSON, words=_WORDS, runs=250),
    Target("backtrace submission", _reports, _submitted, (Refusal,), shape=Shape.JSON, words=_WORDS, runs=250),
    Target("sentry event report", _events, _sentry, (UnreadableReport,), shape=Shape.JSON, words=_WORDS, runs=250),
    Target("sentry event", _events, _event, (BadReport,), shape=Shape.JSON, words=_WORDS, runs=500),
    Target(
        "odd json", lambda: [*_reports()[:3], b'{"a": NaN, "b": "\\ud800", "c": 1e999}'], _loose, (BadJson,), runs=400
    ),
    Target(
        "messagepack",
        lambda: [msgspec.msgpack.encode(_FULL_EVENT), msgspec.msgpack.encode([1, {}]) * 3],
        _packed,
        (BadMessagePack,),
        runs=400,
    ),
    Target(
        "dump form",
        lambda: [b'sentry={"tags":{"a":1}}\nsentry__1={"re\nsentry__2=lease":"x"}\nsentry[tags][b]=2'],
        _form,
        (BadReport, BadJson),
        shape=Shape.LINES,
        words=(b"sentry[", b"]", b"[a]", b"sentry__1=", b"sentry="),
        runs=400,
    ),
    Target("scrubbing", lambda: [_SECRETS, _SECRETS * 3], _scrubbed, words=_SECRETS.split(), runs=200),
)
