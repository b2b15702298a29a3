"""Sentry's events, scripts and JVM stacks: from what clients send to names of the sources."""

from __future__ import annotations

import pytest

from crashes.reports import UnreadableReport
from crashes.results import Failure
from tests.crashes.reports.reporting import crashed, examined
from tests.debugfiles.uploading import (
    LEDGER,
    LEDGER_CODE_ID,
    LEDGER_DEBUG_ID,
    PROGUARD,
    bundle_of,
    upload,
    upload_bundle,
)
from tests.engine.javascript.builds import files_of, in_node, source_line

# Lookups have connections of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("environment")]
MAPPING = "246fb328-fc4e-406a-87ff-fc35f6149d8f"
BASE = 0x7F6B_DE00_0000
IMAGE = {
    "type": "elf", "code_file": "/opt/shop/libledger.so", "debug_id": LEDGER_DEBUG_ID, "code_id": LEDGER_CODE_ID,
    "image_addr": hex(BASE), "image_size": 0x10000,
}  # fmt: skip


def event(project, body, **fields):
    return examined(project, "event", body, **fields)


def exception(type, value, *frames, **fields):
    return {"type": type, "value": value, "stacktrace": {"frames": list(frames)}} | fields


class TestPython:
    BODY = {
        "platform": "python",
        "release": "shop@1.2",
        "contexts": {"os": {"name": "Linux", "version": "6.1"}, "device": {"arch": "amd64"}},
        "exception": {
            "values": [
                exception("KeyError", "'x'", {"function": "inner", "filename": "a.py", "lineno": 1, "in_app": True}),
                exception(
                    "ShopError",
                    "no cart",
                    {"function": "main", "abs_path": "/srv/shop/m.py", "filename": "m.py", "lineno": 9},
                    {
                        "function": "checkout",
                        "filename": "cart.py",
                        "lineno": 3,
                        "context_line": "  raise",
                        "in_app": False,
                    },
                    module="shop.errors",
                ),
            ]
        },
    }

    def test_the_outermost_exception_and_the_innermost_frame_come_first(self, acme_project):
        result = event(acme_project, self.BODY).result
        assert result.failures == [
            Failure("ShopError", "no cart", "shop.errors", 0),
            Failure("KeyError", "'x'", "", 1),
        ]
        assert [frame.function for frame in crashed(result)] == ["checkout", "main"]
        assert [thread.crashed for thread in result.threads] == [True, False]
        assert [frame.in_app for frame in crashed(result)] == [False, True]

    def test_the_facts(self, acme_project):
        facts = event(acme_project, self.BODY).facts
        assert (facts.platform, facts.version, facts.os_name, facts.arch) == ("python", "shop@1.2", "Linux", "x86_64")
        assert (facts.frame_count, facts.unnamed_count) == (3, 0)


def test_threads_are_joined_to_the_exceptions_that_happened_in_them(acme_project):
    body = {
        "platform": "native",
        "exception": {"values": [exception("SIGSEGV", "boom", {"function": "f"}, thread_id=7)]},
        "threads": {
            "values": [
                {"id": 7, "name": "worker", "crashed": True},
                {"id": 8, "name": "idle", "stacktrace": {"frames": [{"function": "g"}]}},
            ]
        },
    }
    threads = event(acme_project, body).result.threads
    assert [(thread.id, thread.name, thread.crashed) for thread in threads] == [
        ("7", "worker", True),
        ("8", "idle", False),
    ]


def test_a_message_without_an_exception(acme_project):
    body = {
        "message": {"formatted": "disk full"},
        "threads": [{"id": "1", "current": True, "stacktrace": {"frames": []}}],
    }
    result = event(acme_project, body).result
    assert (result.reason, result.failures, result.threads[0].crashed) == ("disk full", [], True)


class TestNative:
    def body(self, *addresses, **fields):
        frames = [{"instruction_addr": address, "package": IMAGE["code_file"]} for address in addresses]
        return {
            "platform": "native",
            "exception": {"values": [exception("SIGSEGV", "at 0x10", *frames)]},
            "debug_meta": {"images": [{"type": "sourcemap", "code_file": "/x.js", "debug_id": MAPPING}, IMAGE]},
        } | fields

    def test_frames_are_named_by_what_was_uploaded(self, acme_project):
        upload(acme_project, LEDGER.read_bytes(), "libledger.so")
        outcome = event(acme_project, self.body(hex(BASE + 0x1200), BASE + 0x1180))
        assert any(frame.status == "symbolicated" for frame in crashed(outcome.result))
        assert outcome.lacks == ()
        assert {frame.in_app for frame in crashed(outcome.result)} == {True}

    def test_without_symbols_the_module_is_lacked(self, acme_project):
        outcome = event(acme_project, self.body(hex(BASE + 0x1200)))
        (frame,) = crashed(outcome.result)
        assert (frame.status, frame.package, frame.instruction_addr) == (
            "missing",
            IMAGE["code_file"],
            hex(BASE + 0x1200),
        )
        assert [(lack.kind, lack.debug_id, lack.code_id) for lack in outcome.lacks] == [
            ("debug_file", LEDGER_DEBUG_ID, LEDGER_CODE_ID)
        ]
        assert outcome.facts.unnamed_count == 1

    def test_names_of_the_client_are_kept_where_nothing_was_found(self, acme_project):
        body = self.body(hex(BASE + 0x1200))
        body["exception"]["values"][0]["stacktrace"]["frames"][0]["function"] = "post"
        (frame,) = crashed(event(acme_project, body).result)
        assert (frame.function, frame.status) == ("post", "symbolicated")

    def test_addresses_relative_to_an_image(self, acme_project):
        body = self.body("0x1200")
        body["exception"]["values"][0]["stacktrace"]["frames"][0] |= {"addr_mode": "rel:1", "package": None}
        (frame,) = crashed(event(acme_project, body).result)
        assert frame.package == IMAGE["code_file"]

    def test_native_frames_of_backtraces_reports(self, acme_project):
        upload(acme_project, LEDGER.read_bytes(), "libledger.so")
        module = {
            "start": str(BASE), "size": 0x10000, "code_file": IMAGE["code_file"],
            "debug_identifier": LEDGER_DEBUG_ID.replace("-", "").upper() + "0",
        }  # fmt: skip
        report = {
            "lang": "c",
            "threads": {"1": {"fault": True, "stack": [{"address": str(BASE + 0x1200)}, {"address": 1}]}},
            "modules": [module],
        }
        outcome = examined(acme_project, "json", report)
        first, last = crashed(outcome.result)[0], crashed(outcome.result)[-1]
        assert (first.package, last.status) == (IMAGE["code_file"], "unknown_image")
        assert outcome.facts.platform == "native"
        assert outcome.lacks == ()


class TestJavascript:
    """With a real build: its script, and the map that belongs to it."""

    DEBUG_ID = "c941d872-af1f-4f0c-a7ff-ad3d295fe153"
    URL = "https://shop.example.com/app.js"

    def put(self, project, thrown):
        """The files of a build, by the debug ids that Backtrace's tool put into them."""
        ids = {module["code_file"].rpartition("/")[2]: module["debug_id"] for module in thrown.modules}
        files = {
            name: (kind, f"~/{name}", {"debug-id": ids[name.removesuffix(".map")]}, content)
            for name, (kind, content) in files_of("backtrace").items()
        }
        upload_bundle(project, bundle_of(files))

    @pytest.fixture
    def thrown(self, acme_project):
        made = in_node("backtrace")
        self.put(acme_project, made)
        return made

    def report(self, line, column, **fields):
        frame = {
            "funcName": "t",
            "library": self.URL,
            "line": line,
            "column": column,
            "debug_identifier": self.DEBUG_ID,
        }
        return {
            "lang": "js",
            "symbolication": "sourcemap",
            "threads": {"main": {"fault": True, "stack": [frame | fields]}},
        }

    def sent(self, thrown):
        """As Backtrace's client for Node sends it."""
        ids = {module["code_file"]: module["debug_id"] for module in thrown.modules}
        stack = [
            {
                "funcName": frame.get("function", "anonymous"),
                "library": frame["abs_path"],
                "line": frame["lineno"],
                "column": frame["colno"],
                "debug_identifier": ids.get(frame["abs_path"]),
            }
            for frame in thrown.frames[::-1]
        ]
        threads = {"main": {"fault": True, "stack": stack}}
        return {"lang": "nodejs", "symbolication": "sourcemap", "mainThread": "main", "threads": threads}

    def test_a_report_of_a_real_build_is_read_with_its_maps(self, acme_project, thrown):
        outcome = examined(acme_project, "json", self.sent(thrown))
        own = [frame for frame in crashed(outcome.result) if frame.in_app]
        assert {frame.filename.rpartition("/")[2] for frame in own} >= {"price.js", "cart.js", "main.js"}
        assert {frame.status for frame in own} == {"symbolicated"}
        for frame in own:
            assert frame.context_line == source_line(frame.filename.rpartition("/")[2], frame.lineno)
        assert outcome.lacks == ()
        assert outcome.facts.unnamed_count == 0
        assert outcome.facts.platform == "javascript"

    def test_an_event_of_the_same_error_reads_the_same(self, acme_project, thrown):
        body = {
            "platform": "node",
            "exception": {"values": [exception("Error", "x", *thrown.frames)]},
            "debug_meta": {"images": thrown.modules},
        }
        sent = crashed(examined(acme_project, "json", self.sent(thrown)).result)
        got = crashed(event(acme_project, body).result)
        assert [(f.filename, f.lineno, f.in_app) for f in got] == [(f.filename, f.lineno, f.in_app) for f in sent]

    def test_a_map_that_is_missing_is_lacked_by_its_debug_id(self, acme_project):
        (lack,) = examined(acme_project, "json", self.report(1, 10)).lacks
        assert (lack.kind, lack.debug_id, lack.name) == ("source_map", self.DEBUG_ID, self.URL)
        assert lack.module == {}

    def test_a_map_that_is_missing_is_lacked_by_release_dist_and_url(self, acme_project):
        frame = {"abs_path": self.URL, "lineno": 1, "colno": 5}
        body = {
            "platform": "javascript", "release": "1.0", "dist": "web", "exception": [exception("E", "x", frame)],
        }  # fmt: skip
        (lack,) = event(acme_project, body).lacks
        assert (lack.kind, lack.debug_id, lack.release, lack.dist, lack.name) == (
            "source_map",
            "",
            "1.0",
            "web",
            self.URL,
        )

    def test_secrets_in_addresses_are_not_kept(self, acme_project):
        url = "https://bob:canary7f3@shop.example.com/app.js?token=canary7f3"
        outcome = examined(acme_project, "json", self.report(1, 10, library=url))
        assert "canary" not in f"{outcome.result!r}{outcome.lacks!r}"


class TestJvm:
    def report(self, **fields):
        stack = [
            {"funcName": "a.b.a", "line": 2, "library": "SourceFile"},
            {"funcName": "java.lang.Thread.run", "line": 1},
        ]
        return {
            "lang": "java",
            "symbolication": "proguard",
            "classifiers": ["a.b"],
            "attributes": {"symbolication_id": MAPPING},
            "threads": {"main": {"fault": True, "stack": stack}},
        } | fields

    def test_a_mapping_makes_names_readable(self, acme_project):
        upload(acme_project, PROGUARD, "mapping.txt", MAPPING)
        outcome = examined(acme_project, "json", self.report(), classifiers=["a.b"])
        first, second = crashed(outcome.result)
        assert (first.module, first.function, first.lineno) == ("org.example.Main", "run", 11)
        assert (first.raw_function, first.in_app, second.in_app) == ("a.b.a", True, False)
        assert outcome.result.failures == [Failure("Main", "", "org.example", 0)]
        assert outcome.lacks == ()
        assert outcome.facts.platform == "jvm"

    def test_a_mapping_that_is_missing_is_lacked(self, acme_project):
        outcome = examined(acme_project, "json", self.report())
        assert [(lack.kind, lack.debug_id) for lack in outcome.lacks] == [("mapping", MAPPING)]
        assert [(frame.module, frame.function) for frame in crashed(outcome.result)][0] == ("a.b", "a")

    def test_without_an_id_names_stay_as_they_are(self, acme_project):
        outcome = examined(acme_project, "json", self.report(attributes={}))
        assert [frame.diagnosis for frame in crashed(outcome.result)] == [None, None]
        assert outcome.facts.unnamed_count == 0

    def test_an_event_names_its_mapping_among_its_images(self, acme_project):
        upload(acme_project, PROGUARD, "mapping.txt", MAPPING)
        frame = {"module": "a.b", "function": "a", "lineno": 2, "filename": "SourceFile"}
        body = {
            "platform": "java",
            "exception": {"values": [exception("b", "x", frame, module="a")]},
            "debug_meta": {"images": [{"type": "proguard", "uuid": MAPPING}]},
        }
        result = event(acme_project, body).result
        assert (crashed(result)[0].module, result.failures[0].type) == ("org.example.Main", "Main")


class TestPrivacy:
    CANARY = "canary7f3aB9"

    def test_no_secret_of_an_event_is_kept(self, acme_project, caplog):
        body = {
            "platform": "python",
            "message": f"login with password={self.CANARY}",
            "extra": {"api_key": self.CANARY, "sys.argv": ["--token", f"--password={self.CANARY}"]},
            "contexts": {"env": {"HOME": self.CANARY}, "os": {"name": f"x://a:{self.CANARY}@h"}},
            "request": {
                "url": f"https://a:{self.CANARY}@h/",
                "headers": [["Cookie", self.CANARY]],
                "env": {"A": self.CANARY},
            },
            "user": {"token": self.CANARY},
            "breadcrumbs": {"values": [{"message": f"Authorization: Bearer {self.CANARY}"}]},
            "threads": [{"id": 1, "name": f"password={self.CANARY}", "stacktrace": {"frames": []}}],
            "exception": [
                exception(
                    f"secret={self.CANARY}",
                    f"postgres://u:{self.CANARY}@db",
                    {
                        "function": f"f(api_key={self.CANARY})",
                        "vars": {"password": self.CANARY},
                        "context_line": f'password = "{self.CANARY}"',
                        "pre_context": [f'api_key = "{self.CANARY}"'],
                        "filename": f"http://u:{self.CANARY}@h/a.py",
                    },
                )
            ],
        }
        outcome = event(acme_project, body)
        assert self.CANARY not in f"{outcome!r}"
        assert self.CANARY not in caplog.text

    def test_no_secret_of_a_report_is_kept(self, acme_project, caplog):
        report = {
            "lang": "python",
            "threads": {
                "1": {
                    "name": f"token=1 password={self.CANARY}",
                    "fault": True,
                    "stack": [
                        {"funcName": "f", "line": 2, "sourceCode": "s", "library": f"x://a:{self.CANARY}@h/b.py"}
                    ],
                }
            },
            "sourceCode": {"s": {"text": f"a\nsecret = '{self.CANARY}'\nb", "path": f"/x?token={self.CANARY}"}},
            "annotations": {
                "Environment Variables": {"X": self.CANARY},
                "error": {"message": f"Bearer {self.CANARY}", "name": "E"},
            },
            "memory": [{"start": 1, "data": self.CANARY}],
        }
        outcome = examined(acme_project, "json", report)
        assert self.CANARY not in f"{outcome!r}"
        assert crashed(outcome.result)[0].context_line == "secret = '[redacted]'"
        assert self.CANARY not in caplog.text

    def test_what_cannot_be_read_is_not_quoted(self, acme_project):
        with pytest.raises(UnreadableReport) as raised:
            event(acme_project, b'{"password": "' + self.CANARY.encode() + b'", }')
        assert self.CANARY not in f"{raised.value!r}{raised.value.message}"
