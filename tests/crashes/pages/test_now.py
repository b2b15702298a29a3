"""Symbolicate now: every kind of thing that people hand over, with real ones, and that nothing of it stays."""

from __future__ import annotations

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crashes.models import Crash, CrashResult
from crashes.pages.now import form as now_form
from crashes.pages.now import looking, views
from engine.errors import DeadlineExceeded
from symbolication import runtime
from symbolication.crash_files import spool
from tests.crashes.pages.made import HOSTILE
from tests.crashes.reports.test_dumps import dump, put_symbols
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, LEDGER_DEBUG_ID, bundle_of, upload, upload_bundle
from tests.engine.apple.reports import FIXTURES, HEADER
from tests.engine.javascript.builds import files_of, in_node
from tests.symbolication.conftest import environment  # noqa: F401 - pytest finds fixtures by name

# Lookups have connections of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("environment")]

PAGE = "/organizations/acme/native-app/crashes/now/"
BASE = 0x7F6B_DE00_0000
MAPPING = "246fb328-fc4e-406a-87ff-fc35f6149d8f"
STACKS = {
    "stacktraces": [{"frames": [{"instruction_addr": hex(BASE + 0x1100)}]}],
    "modules": [
        {
            "type": "elf",
            "code_file": "/opt/libledger.so",
            "debug_id": LEDGER_DEBUG_ID,
            "code_id": LEDGER_CODE_ID,
            "image_addr": hex(BASE),
            "image_size": 0x10000,
        }
    ],
}


@pytest.fixture
def client(member, acme_project):
    made = Client(enforce_csrf_checks=True)
    made.force_login(member)
    return made


def action(client):
    html = client.get(PAGE).content.decode()
    return re.search(r'<form method="post" action="([^"]+)" enctype', html)[1]


def send(client, text="", file=None, headers=None, **said):
    values = {"text": text, **said}
    if file is not None:
        values["file"] = SimpleUploadedFile("crash.bin", file)
    return client.post(action(client), values, headers=headers)


def words(answer, status=200):
    html = answer.content.decode()
    assert answer.status_code == status, html
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.fixture(autouse=True)
def nothing_is_stored(request):
    yield
    assert not Crash.objects.exists()
    assert not CrashResult.objects.exists()
    assert not spool().exists() or not list(spool().iterdir())


class TestKinds:
    def test_a_dump_reads_as_a_crash_would(self, client, acme_project):
        put_symbols(acme_project, "segv-worker-fp")
        said = words(send(client, file=dump("segv-worker-fp")))
        assert "Minidump" in said
        assert "SIGSEGV" in said
        assert "libledger.so" in said

    def test_a_dump_without_symbols_says_why_and_what_mends_it(self, client):
        answer = send(client, file=dump("segv-worker-fp"))
        assert "frames without a name" in words(answer)
        assert b"/files/upload/?for=" in answer.content

    def test_every_thread_can_be_opened_without_asking_again(self, client):
        html = send(client, file=dump("segv-worker-fp")).content.decode()
        threads = re.findall(r'<details class="thread"[^>]*>', html)
        assert len(threads) > 1
        assert sum(" open" in thread for thread in threads) == 1
        assert html.count('<ol class="stack"') == len(threads)
        assert "hx-get" not in "".join(threads)

    def test_of_a_large_report_the_crashed_thread_is_shown_and_the_page_says_so(self, client, monkeypatch):
        monkeypatch.setattr(views, "MOST_FRAMES", 3)
        answer = send(client, file=dump("segv-worker-fp"))
        assert answer.content.decode().count('<ol class="stack"') == 1
        assert "Only the crashed thread is shown" in words(answer)

    def test_stacks_in_json(self, client, acme_project):
        upload(acme_project, LEDGER.read_bytes())
        said = words(send(client, json.dumps(STACKS)))
        assert "Stacks in JSON" in said
        assert "frames without a name" not in said

    def test_an_apple_report_as_text(self, client):
        text = HEADER + "\nThread 0 Crashed:\n0   Shop Online  \t0x100a40000 0x100a3c000 + 16384\n"
        said = words(send(client, text))
        assert "Apple crash report" in said
        assert "1 of 1 frames without a name" in said

    def test_an_apple_report_in_json(self, client):
        body = {"threads": [{"triggered": True, "frames": [{"imageOffset": 4, "imageIndex": 0}]}], "usedImages": [{
            "source": "P", "arch": "arm64", "base": 4096, "size": 4096, "path": "/App", "name": "App",
            "uuid": "6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a"}], "exception": {"type": "EXC_CRASH", "signal": "SIGABRT"},
            "osVersion": {"train": "iPhone OS 17.4"}, "bug_type": "309"}  # fmt: skip
        head = json.dumps({"bug_type": "309", "app_name": "App"})
        assert "Apple crash report" in words(send(client, f"{head}\n{json.dumps(body, indent=1)}"))

    def test_a_report_of_plcrashreporter(self, client):
        said = words(send(client, file=(FIXTURES / "apple/handmade.plcrash").read_bytes()))
        assert "Apple crash report" in said

    def test_a_javascript_stack_of_a_real_build_with_the_maps_of_its_release(self, client, acme_project):
        thrown = in_node("terser")
        files = {name: (kind, f"~/{name}", {}, content) for name, (kind, content) in files_of("terser").items()}
        upload_bundle(acme_project, bundle_of(files), release="shop@1.0")
        lines = [
            f"    at {frame.get('function', 'x')} (https://shop.example/{frame['abs_path'].rpartition('/')[2]}"
            f":{frame['lineno']}:{frame['colno']})"
            for frame in reversed(thrown.frames)
        ]
        text = "TypeError: x is not a function\n" + "\n".join(lines)
        answer = send(client, text, release="shop@1.0")
        said = words(answer)
        assert "JavaScript stack" in said
        assert "TypeError : x is not a function" in said
        assert "price.js" in said
        # The form keeps what was said.
        assert 'value="shop@1.0"' in answer.content.decode()

    @pytest.mark.parametrize(
        "line",
        ["f@https://shop.example/app.js:1:2", "at https://shop.example/app.js:1:2", "at async f (/srv/app.js:1:2)"],
        ids=["firefox", "chrome without a name", "node"],
    )
    def test_stacks_of_all_browsers_are_known(self, client, line):
        said = words(send(client, f"Error: x\n{line}"))
        assert "JavaScript stack" in said
        assert "app.js" in said

    def test_a_java_stack_trace_with_its_mapping_and_its_cause(self, client, acme_project):
        upload(acme_project, (FIXTURES / "jvm/plain/mapping.txt").read_bytes(), "mapping.txt", MAPPING)
        text = (
            'Exception in thread "main" a.c: cannot take ZZZ\n\tat shop.Main.a(SourceFile:11)\n'
            "\tat java.base/java.util.Arrays$ArrayList.forEach(Arrays.java:4204)\n"
            "Caused by: java.lang.Error: unknown\r\n\tat shop.Main.main(SourceFile:11)\n\t... 3 more\n"
        )
        said = words(send(client, text, mapping=MAPPING))
        assert "Java or Kotlin stack trace" in said
        assert "lambda$main$0" in said
        assert "Error : unknown" in said

    def test_a_stack_of_a_debugger_with_its_images(self, client, acme_project):
        upload(acme_project, LEDGER.read_bytes())
        text = (
            "* thread #1, name = 'app', stop reason = signal SIGSEGV\n"
            f"  * frame #0: {BASE + 0x1100:#018x} libledger.so`___lldb\n"
            f"    frame #1: {BASE + 0x1110:#018x}\n"
            f"[  0] {LEDGER_CODE_ID} {BASE:#018x} /opt/libledger.so\n"
        )
        said = words(send(client, text))
        assert "Stack of lldb or gdb" in said
        assert "frames without a name" not in said

    def test_a_report_of_backtrace(self, client):
        report = {
            "threads": {"m": {"fault": True, "stack": [{"funcName": "boom", "sourceCode": "1"}]}},
            "lang": "python",
        }
        said = words(send(client, json.dumps(report)))
        assert "Backtrace report" in said
        assert "boom" in said

    def test_an_event_of_sentry(self, client):
        event = {"exception": {"values": [{"type": "E", "stacktrace": {"frames": [{"function": "boom"}]}}]}}
        said = words(send(client, json.dumps(event)))
        assert "Sentry event" in said
        assert "boom" in said


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "said", "told"),
        [
            ("", {}, "Paste something, or choose a file"),
            ("hello", {}, "none of the kinds"),
            ("{", {}, "begins like JSON and is none"),
            ("{}", {}, "none of the members that tell what it is"),
            ("[1]", {}, "none of the members that tell what it is"),
            ('{"stacktraces": 1}', {}, "The stacks cannot be read"),
            ('{"stacktraces": [], "sources": []}', {}, "leave this member out"),
            ("x", {"what": "javascript"}, "No line of it is a frame of a JavaScript stack"),
            ("x", {"what": "jvm"}, "No line of it is a frame of a Java stack trace"),
            ("x", {"what": "debugger"}, "No line of it is a frame with an address"),
            ("frame #0: 0x00000001 app", {}, "The images are lacking"),
            ("x", {"what": "minidump"}, "The minidump cannot be read"),
            ("x", {"what": "apple"}, "The crash report cannot be read"),
            ("x", {"what": "backtrace"}, "The report cannot be read"),
            ("x", {"what": "event"}, "The report cannot be read"),
            ("x", {"what": "nonsense"}, "Select a valid choice"),
            ("at a.b.c(D.java:1)", {"mapping": "12"}, "This is no UUID"),
            ("at f (a.js:1:2)", {"release": "r" * 251}, "at most 250 characters"),
            ("\x00\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), {}, "none of the kinds"),
        ],
        ids=lambda value: repr(value)[:40] if isinstance(value, str | dict) else None,
    )
    def test_what_cannot_be_read_is_told_and_kept_in_the_form(self, client, text, said, told):
        answer = send(client, text, **said)
        assert told in words(answer, 400)
        assert 'role="alert"' in answer.content.decode()

    def test_a_file_beyond_the_limit(self, client, monkeypatch):
        monkeypatch.setattr(now_form, "LIMITS", now_form.MultipartLimits(body=1000, field=500))
        assert "CRASH_FILE_BODY_MAX_BYTES" in words(send(client, file=b"MDMP" * 1000), 413)

    def test_a_text_that_is_too_long_to_paste_is_better_a_file(self, client, monkeypatch):
        monkeypatch.setattr(now_form, "LIMITS", now_form.MultipartLimits(body=100_000, field=500))
        assert "choose it as a file" in words(send(client, "x" * 1000), 400)

    def test_without_a_free_place_it_says_to_come_again(self, client, monkeypatch):
        monkeypatch.setattr(views, "take_ticket", lambda: None)
        assert "send it again in a moment" in words(send(client, "x"), 503)

    def test_sources_that_take_too_long(self, client, monkeypatch):
        def late(*_):
            raise DeadlineExceeded("late")

        monkeypatch.setattr(looking, "look_into", late)
        assert "It took too long" in words(send(client, "at f (a.js:1:2)"), 503)

    def test_a_fault_leaves_the_form_and_tells_no_secret(self, client, monkeypatch):
        def broken(*_):
            raise ValueError("password")

        monkeypatch.setattr(looking, "look_into", broken)
        answer = send(client, "at f (a.js:1:2)")
        assert "fault in the service" in words(answer, 500)
        assert b"password" not in answer.content
        assert b"at f (a.js:1:2)" in answer.content

    def test_its_place_is_free_again_whatever_happens(self, client, environment):  # noqa: F811
        environment(MAX_CONCURRENT_REQUESTS=1)
        for text in ("x", "at f (a.js:1:2)", "{", "at f (a.js:1:2)"):
            assert send(client, text).status_code in (200, 400)
        ticket = runtime.take_ticket()
        assert ticket is not None
        ticket.close()

    @pytest.mark.parametrize("body", [b"", b"--x\r\n", b"text=1"], ids=["empty", "cut", "urlencoded"])
    def test_what_is_no_form(self, client, body):
        answer = client.generic("POST", action(client), body, "multipart/form-data; boundary=x")
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "text",
        ["@" * 8000, "at " + "(" * 8000, "a" * 8000 + " " * 8000 + ":1:2", " \n" * 9000 + "at a/" * 1500, ":1" * 4000],
        ids=["at signs", "parentheses", "spaces", "lines", "colons"],
    )
    def test_no_text_takes_long(self, client, text):
        # Whatever it is: patterns that go back and forth would not end within the time of the test.
        for what in ("auto", "javascript", "jvm", "debugger"):
            assert send(client, (text + "\n") * 30, what=what).status_code in (200, 400)


class TestAccess:
    def test_whoever_is_signed_out_is_led_to_the_sign_in_page(self, acme_project):
        assert Client().get(PAGE).headers["Location"].startswith("/login/?next=")

    def test_a_stranger_learns_nothing(self, stranger, acme_project):
        client = Client()
        client.force_login(stranger)
        assert client.get(PAGE).status_code == 404

    def test_a_form_that_is_not_of_the_page_is_refused_and_not_read(self, client):
        answer = client.post(PAGE, {"text": "at f (a.js:1:2)"})
        assert "load the page again" in words(answer, 403)

    def test_a_form_of_another_session_is_refused(self, client, admin):
        other = Client()
        other.force_login(admin)
        assert client.post(action(other), {"text": "x"}).status_code == 403

    def test_a_form_does_not_outlive_a_membership(self, client, member):
        address = action(client)
        member.memberships.all().delete()
        assert client.post(address, {"text": "x"}).status_code == 404

    def test_a_script_gets_the_outcome_alone(self, client):
        answer = send(client, "at f (a.js:1:2)", headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert b"<html" not in answer.content
        assert b"What came of it" in answer.content

    def test_the_page_promises_that_nothing_is_stored_and_keeps_out_of_caches(self, client):
        answer = client.get(PAGE)
        assert "Nothing is stored" in words(answer)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("what", ["javascript", "jvm", "event", "backtrace", "stacks"])
def test_hostile_texts_stay_texts(client, what):
    name = HOSTILE.replace("\n", "")
    texts = {
        "javascript": f"{name}\n at {name.replace('(', '').replace(')', '')} (https://x/{name}:1:2)\nat f (a.js:1:2)",
        "jvm": f"E: {name}\nat a.b(<script>alert:1)",
        "event": json.dumps({"exception": {"type": name, "value": name, "stacktrace": {"frames": [
            {"function": name, "filename": name, "abs_path": name, "module": name, "context_line": name}]}}}),
        "backtrace": json.dumps({"threads": {name: {"name": name, "stack": [{"funcName": name, "library": name}]}},
                                 "annotations": {name: name}}),
        "stacks": json.dumps({"stacktraces": [{"thread_name": name, "frames": [
            {"instruction_addr": hex(BASE), "function": name, "package": name}]}], "modules": [
            {"type": name, "code_file": name, "debug_file": name, "code_id": name, "image_addr": hex(BASE)}]}),
    }  # fmt: skip
    answer = send(client, texts[what], what=what, release=name[:200], dist=name[:60])
    html = answer.content.decode()
    assert answer.status_code in (200, 400)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
