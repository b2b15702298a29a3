"""Backtrace's reports in JSON: what real clients sent, and what the documentation allows."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from crashes.reports import Outcome, UnreadableReport
from crashes.results import Failure
from tests.crashes.reports.reporting import crashed, examined
from tests.engine.shared_fixtures import shared

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("environment")]


@cache
def sent(name: str) -> dict[str, Any]:
    """The report in a captured request."""
    body = (shared(f"fixtures/captures/requests/{name}") / "body.bin").read_bytes()
    report, _ = json.JSONDecoder().raw_decode(body[body.index(b"{") :].decode("utf-8", "replace"))
    return report  # type: ignore[no-any-return]


def look(project, report, **fields) -> Outcome:
    return examined(project, "json", report, attributes=report.get("attributes", {}), **fields)


def threads(**stacks):
    """`name=[frame, …]`; a name that begins with `fault_` crashed."""
    return {name: {"fault": name.startswith("fault_"), "stack": stack} for name, stack in stacks.items()}


def test_a_report_of_python_keeps_its_names_and_shows_the_lines_around(acme_project):
    outcome = look(acme_project, sent("python-uncaught"))
    frame = crashed(outcome.result)[0]

    assert (frame.function, frame.filename, frame.lineno, frame.status) == ("inner", "py_client.py", 9, "symbolicated")
    assert frame.abs_path == "/srv/build/crashlab/clients/py_client.py"
    assert frame.context_line == '    if n == 0: raise ValueError("bad ünïcødé value")'
    assert frame.pre_context[-1] == "def inner(n):"
    assert frame.post_context[0] == "    inner(n-1)"
    assert outcome.result.failures == [Failure("ValueError", "bad ünïcødé value", stack=0)]
    assert outcome.facts.platform == "python"
    assert (outcome.facts.version, outcome.facts.os_name, outcome.facts.arch) == ("1.2.3", "Linux", "x86_64")
    assert (outcome.facts.frame_count, outcome.facts.unnamed_count) == (14, 0)
    assert outcome.lacks == ()


def test_pythons_own_modules_are_not_the_applications(acme_project):
    outcome = look(acme_project, sent("python-uncaught"))
    own = {frame.filename: frame.in_app for thread in outcome.result.threads for frame in thread.frames}
    assert own == {"py_client.py": True, "threading.py": False, "queue.py": False, "report_queue.py": False}


def test_a_report_of_node_reads_as_it_was_sent_where_nothing_could_be_found(acme_project):
    outcome = look(acme_project, sent("node-post-token"))
    names = [(frame.function, frame.filename, frame.lineno, frame.colno) for frame in crashed(outcome.result)]
    assert names[:2] == [("level3", "node_client.js", 8, 27), ("level2", "node_client.js", 9, 21)]
    assert [frame.in_app for frame in crashed(outcome.result)] == [True] * 5 + [False] * 5
    assert outcome.result.failures == [Failure("TypeError", "node exploded", stack=0)]
    assert outcome.facts.platform == "javascript"
    assert outcome.facts.version == "2.0.1"


def test_the_environment_that_node_sends_is_not_kept(acme_project):
    report = sent("node-post-token")
    assert report["annotations"]["Environment Variables"]["HOME"] == "/home/demo"
    outcome = look(acme_project, report)
    assert outcome.result.annotations["Environment Variables"] == "[redacted]"
    assert outcome.result.annotations["nested"] == {"deep": [1, 2]}


def test_a_browsers_scripts_are_asked_for_and_say_what_they_lack(acme_project):
    outcome = look(acme_project, sent("browser-json-after-preflight"))
    frame = crashed(outcome.result)[0]
    assert (frame.function, frame.lineno, frame.colno, frame.status) == ("clicked", 6, 30, "script_missing")
    assert frame.diagnosis["remedy"].startswith("Upload the file")
    assert outcome.facts.unnamed_count == 3


@pytest.mark.parametrize("name", ["browser-hosted-attach", "curl-json-multipart", "python-hosted-attach"])
def test_other_captured_reports_are_read(name, acme_project):
    try:
        report = sent(name)
    except ValueError:
        pytest.skip("the capture has no report in it")
    outcome = look(acme_project, report)
    assert crashed(outcome.result)


def test_the_documented_sample_is_read(acme_project):
    report = json.loads(shared("fixtures/captures/payloads/example_error.json").read_bytes())
    outcome = look(acme_project, report, classifiers=["Boom"])
    first, second = crashed(outcome.result)
    assert (first.function, first.filename, first.lineno, first.colno) == ("explode", "demo.c", 12, 3)
    assert first.context_line == "  return 1/0;"
    assert (second.function, second.instruction_addr, second.package, second.trust) == (
        None,
        "0x401136",
        "demo",
        "scan",
    )
    assert outcome.result.failures == [Failure("Boom", "it broke", stack=0)]
    assert outcome.facts.unnamed_count == 1


class TestWhichThreadCrashed:
    STACK = [{"funcName": "f"}]

    def chosen(self, project, report, **fields):
        return look(project, report, **fields).result.crashed_thread.id

    def test_the_main_thread_where_it_is_at_fault(self, acme_project):
        report = {"threads": threads(fault_a=self.STACK, fault_b=self.STACK), "mainThread": "fault_b"}
        assert self.chosen(acme_project, report) == "fault_b"

    def test_the_one_at_fault_before_the_main_thread(self, acme_project):
        report = {"threads": threads(a=self.STACK, fault_b=self.STACK), "mainThread": "a"}
        assert self.chosen(acme_project, report) == "fault_b"

    def test_the_main_thread_where_none_is_at_fault(self, acme_project):
        report = {"threads": threads(a=self.STACK, b=self.STACK), "entryThread": "b"}
        assert self.chosen(acme_project, report) == "b"

    def test_the_first_one_where_the_name_is_wrong(self, acme_project):
        report = {"threads": threads(a=self.STACK, b=self.STACK), "mainThread": "main>"}
        assert self.chosen(acme_project, report) == "a"

    def test_the_one_that_the_submission_names(self, acme_project):
        report = {"threads": threads(a=self.STACK, fault_b=self.STACK)}
        assert self.chosen(acme_project, report, modifiers={"_mod_faulting_tid": "a"}) == "a"

    def test_only_one_does(self, acme_project):
        report = {"threads": threads(fault_a=self.STACK, fault_b=self.STACK)}
        assert [thread.crashed for thread in look(acme_project, report).result.threads] == [True, False]


def test_the_body_of_older_documentation(acme_project):
    report = {"body": {"lang": "go", "threads": threads(fault_main=[{"funcName": "main.run", "line": "7"}])}}
    outcome = examined(acme_project, "json", report)
    assert [(frame.function, frame.lineno) for frame in crashed(outcome.result)] == [("main.run", 7)]
    assert outcome.facts.platform == "go"


def test_types_that_are_not_as_documented(acme_project):
    frames = [{"funcName": 5, "line": "x", "column": [], "sourceCode": {}, "library": 1.5}, None, 7, {"funcName": None}]
    report = {
        "lang": ["c"],
        "timestamp": {},
        "threads": {"1": {"stack": frames, "name": 9, "fault": "true"}, "2": None, "3": {"stack": "x"}},
        "annotations": ["a", {"password": "x"}],
        "attributes": [],
        "sourceCode": [],
        "modules": {"a": 1},
        "arch": "x",
        "classifiers": 5,
    }
    outcome = examined(acme_project, "json", report)
    assert [frame.function for frame in crashed(outcome.result)] == ["5", None]
    assert outcome.result.annotations == {"annotations": ["a", {"password": "[redacted]"}]}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * 5000], ids=range(6))
def test_what_is_no_report_is_said_to_be_none(content, acme_project):
    with pytest.raises(UnreadableReport) as raised:
        examined(acme_project, "json", content)
    assert raised.value.message.startswith("The report cannot be read")


def test_a_report_of_an_unknown_format_is_said_to_be_one(acme_project):
    with pytest.raises(UnreadableReport):
        examined(acme_project, "btt", b"x")


def test_a_report_has_so_many_frames_and_no_more(acme_project, monkeypatch):
    monkeypatch.setattr("crashes.reports.material.MOST_FRAMES", 10)
    stack = [{"funcName": f"f{at}"} for at in range(8)]
    outcome = look(acme_project, {"threads": threads(a=stack, fault_b=stack)})
    assert [len(thread.frames) for thread in outcome.result.threads] == [2, 8]
    assert outcome.result.problems == ["The report has more than 10 frames: 6 are left out."]


def test_annotations_that_are_too_large_are_left_out(acme_project):
    report = {"threads": threads(a=[]), "annotations": {"small": {"k": 1}, "large": ["x" * 1000] * 3000}}
    outcome = look(acme_project, report)
    assert outcome.result.annotations == {"small": {"k": 1}, "large": "[too large]"}


def test_texts_that_no_database_stores(acme_project):
    content = (
        b'{"lang": "python", "threads": {"\\ud800": {"name": "n\\u0000", "fault": true, "stack": '
        b'[{"funcName": "f\\ud800", "sourceCode": "/a\\u0000/b.py", "line": 1}]}},'
        b'"attributes": {"application.version": "1\\u0000\\udfff"}, "annotations": {"\\udc00": "\\ud83d"}}'
    )
    outcome = examined(acme_project, "json", content)
    assert crashed(outcome.result)[0].function == "f\ufffd"
    assert outcome.facts.version == "1\ufffd\ufffd"
    assert outcome.result.annotations == {"\ufffd": "\ufffd"}
