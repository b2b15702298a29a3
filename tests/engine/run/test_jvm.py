"""JVM requests from a body to an answer, with files of a server that is compatible with Sentry's debug file API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.jvm.wire import decode_jvm_request
from engine.outgoing import Deadline
from engine.run import Gate
from engine.run.jvm import JvmEngine
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.jvm.mappings import INLINES
from tests.engine.run.sources import text
from tests.engine.webserver import LOOPBACK, hang, reply

MAPPING = "8236f5fa-3a51-4f0d-a4c3-7e4cb1e2f6b1"
SOURCES = "11111111-3a51-4f0d-a4c3-7e4cb1e2f6b1"


@dataclass
class Project:
    """What a server has for each debug id: kind and content."""

    server: object
    files: dict

    def __post_init__(self) -> None:
        self.server.default = self.answer

    def answer(self, asked, connection) -> None:
        query = parse_qs(urlsplit(asked.target).query)
        if "id" in query:
            reply(body=self.files[query["id"][0]][1])(asked, connection)
            return
        debug_id = query["debug_id"][0]
        kind = self.files[debug_id][0] if debug_id in self.files else None
        listed = [{"id": debug_id, "symbolType": kind}] if kind else []
        reply(body=json.dumps(listed).encode())(asked, connection)

    def source(self, name="project"):
        config = {"type": "sentry", "id": name, "url": f"{self.server.url}/files/", "token": "t"}
        (opened,) = decode_sources(json.dumps([config]).encode(), operator=False)
        return open_source(opened, owner="acme", trust=LOOPBACK, digest_key=b"k")


@pytest.fixture
def project(server):
    return Project(server, {MAPPING: ("proguard", INLINES.encode())})


@pytest.fixture
def jvm(tmp_path, store):
    return JvmEngine(type(store)(tmp_path / "cache"), Gate())


def frame(module, function, lineno=None, **more):
    known = {"function": function, "module": module, "index": 0, **more}
    return known if lineno is None else {**known, "lineno": lineno}


def ask(jvm, sources, *frames, modules=((MAPPING, "proguard"),), explain=False, seconds=30, **fields):
    body = {
        "sources": [],
        "stacktraces": [{"frames": list(frames)}],
        "modules": [{"uuid": uuid, "type": kind} for uuid, kind in modules],
        "options": {"frame_order": "callee_first"},
        **fields,
    }
    request = decode_jvm_request(json.dumps(body).encode(), stored=False)
    answer = jvm.symbolicate(request, sources, scope="s", deadline=Deadline.after(seconds), explain=explain)
    return json.loads(answer)


def test_a_stack_becomes_readable(jvm, project):
    answer = ask(
        jvm,
        [project.source()],
        frame("a.b", "a", 4, index=3),
        exceptions=[{"type": "c", "module": ""}],
        classes=["a.b", "unknown.Class"],
    )
    assert answer == {
        "status": "completed",
        "exceptions": [{"type": "Lock", "module": "com.acme"}],
        "stacktraces": [
            {
                "frames": [
                    {
                        "function": function,
                        "module": module,
                        "index": 3,
                        "filename": file,
                        "abs_path": file,
                        "lineno": line,
                    }
                    for module, function, file, line in (
                        ("com.acme.Lock", "turn", "Locks.kt", 7),
                        ("com.acme.Door", "push", "Door.java", 21),
                        ("com.acme.Shop", "open", "Shop.java", 45),
                    )
                ],
                "exception": None,
            }
        ],
        "classes": {"a.b": "com.acme.Shop"},
        "errors": [],
    }


def test_the_mapping_is_fetched_once(jvm, project, server):
    for _ in range(2):
        ask(jvm, [project.source()], frame("a.b", "a", 4))
    assert len([asked for asked in server.asked if "id=" + MAPPING in asked.target.replace("debug_id", "")]) == 1


def test_mappings_that_cannot_be_had_or_used_are_told_in_the_order_of_the_request(jvm, project):
    broken, absent = "22222222-3a51-4f0d-a4c3-7e4cb1e2f6b1", "33333333-3a51-4f0d-a4c3-7e4cb1e2f6b1"
    project.files[broken] = ("proguard", b"no mapping at all\n")
    answer = ask(
        jvm,
        [project.source()],
        frame("a.b", "a", 1),
        modules=[(absent, "proguard"), (MAPPING, "proguard"), (broken, "proguard"), (absent, "source")],
    )
    assert answer["errors"] == [{"uuid": absent, "type": "missing"}, {"uuid": broken, "type": "invalid"}]
    assert answer["stacktraces"][0]["frames"][0]["function"] == "open"


def test_a_file_of_another_kind_is_no_mapping(jvm, project):
    project.files[MAPPING] = ("elf", INLINES.encode())
    assert ask(jvm, [project.source()], frame("a.b", "a", 1))["errors"] == [{"uuid": MAPPING, "type": "missing"}]


def test_two_projects_with_one_id_never_share_a_mapping(jvm, project, server):
    assert ask(jvm, [project.source()], frame("a.b", "a", 1))["stacktraces"][0]["frames"][0]["function"] == "open"
    other = open_source(
        decode_sources(
            json.dumps([{"type": "sentry", "id": "project", "url": f"{server.url}/other/", "token": "u"}]).encode(),
            operator=False,
        )[0],
        owner="umbrella",
        trust=LOOPBACK,
        digest_key=b"k",
    )
    project.files.clear()
    answer = ask(jvm, [other], frame("a.b", "a", 1))
    assert answer["errors"] == [{"uuid": MAPPING, "type": "missing"}]
    assert answer["stacktraces"][0]["frames"][0]["function"] == "a"


def test_a_server_that_hangs_costs_its_time_and_no_more(jvm, project, server):
    server.default = hang
    with pytest.raises(Exception, match="time"):
        ask(jvm, [project.source()], frame("a.b", "a", 1), seconds=0.5)


class TestSourceContext:
    FILES = {
        "app/Locks.kt": ("~/com/acme/Locks.jvm", text("lock")),
        "app/Shop.kt": ("~/com/acme/Shop.jvm", text("shop")),
    }

    @pytest.fixture
    def bundled(self, project):
        project.files[SOURCES] = ("sourcebundle", jvm_bundle(self.FILES))
        return project

    def frames(self, jvm, project, *frames, **fields):
        modules = [(MAPPING, "proguard"), (SOURCES, "source")]
        return ask(jvm, [project.source()], *frames, modules=modules, **fields)["stacktraces"][0]["frames"]

    def test_lines_stand_around_the_written_line(self, jvm, bundled):
        lock, door, shop = self.frames(jvm, bundled, frame("a.b", "a", 4))
        assert lock["pre_context"] == [f"lock {number}" for number in range(2, 7)]
        assert lock["context_line"] == "lock 7"
        assert lock["post_context"] == [f"lock {number}" for number in range(8, 13)]
        assert "context_line" not in door
        assert shop["context_line"] == "shop 45"

    def test_frames_that_no_mapping_knows_have_context_too(self, jvm, bundled):
        (plain,) = self.frames(jvm, bundled, frame("com.acme.Shop$1", "x", 3, abs_path="Shop$1.kt"))
        assert plain["context_line"] == "shop 3"

    @pytest.mark.parametrize("line", [None, 0, 61, 4_000_000_000])
    def test_without_such_a_line_there_is_none(self, jvm, bundled, line):
        (plain,) = self.frames(jvm, bundled, frame("com.acme.Shop", "x", line))
        assert "context_line" not in plain

    def test_nobody_gets_it_who_does_not_want_it(self, jvm, bundled):
        options = {"apply_source_context": False, "frame_order": "callee_first"}
        (plain,) = self.frames(jvm, bundled, frame("com.acme.Shop", "x", 3), options=options)
        assert "context_line" not in plain

    def test_a_bundle_that_is_missing_or_broken_is_no_error(self, jvm, project):
        project.files[SOURCES] = ("sourcebundle", b"SYSB no zip")
        answer = ask(
            jvm, [project.source()], frame("a.b", "a", 1), modules=[(MAPPING, "proguard"), (SOURCES, "source")]
        )
        assert answer["errors"] == []
        assert "context_line" not in answer["stacktraces"][0]["frames"][0]


class TestDiagnosis:
    def verdict(self, jvm, project, *arguments, **options):
        (made,) = ask(jvm, [project.source()], *arguments, explain=True, **options)["stacktraces"][0]["frames"]
        return made.get("diagnosis", {}).get("verdict")

    def test_a_readable_frame_has_none(self, jvm, project):
        assert self.verdict(jvm, project, frame("a.b", "a", 1)) is None

    def test_nobody_gets_one_who_did_not_ask(self, jvm, project):
        answer = ask(jvm, [project.source()], frame("q.z", "a", 1))
        assert "diagnosis" not in answer["stacktraces"][0]["frames"][0]

    def test_each_cause_has_its_own(self, jvm, project):
        assert self.verdict(jvm, project, frame("a.b", "a", 4711)) == "line_or_method_unknown"
        assert self.verdict(jvm, project, frame("a.b", "zz")) == "line_missing"
        assert self.verdict(jvm, project, frame("q.z", "a", 1)) == "class_unknown"
        assert self.verdict(jvm, project, frame("q.z", "a", 1), modules=()) == "no_mapping_named"
        assert (
            self.verdict(jvm, project, frame("q.z", "a", 1), modules=((SOURCES, "proguard"),)) == "mapping_unavailable"
        )

    def test_a_class_with_a_written_name_needs_no_mapping(self, jvm, project):
        assert self.verdict(jvm, project, frame("java.util.ArrayList", "add", 1)) is None

    def test_it_says_which_mapping_and_what_to_do(self, jvm, project):
        modules = [(SOURCES, "proguard")]
        answer = ask(jvm, [project.source()], frame("q.z", "a", 1), modules=modules, explain=True)
        said = answer["stacktraces"][0]["frames"][0]["diagnosis"]
        assert SOURCES in said["text"]
        assert "Upload" in said["text"]
        assert said["debug_ids"] == [SOURCES]


def jvm_bundle(files):
    """A bundle of texts by path, each with the URL that stands for its class."""
    from tests.engine.formats import builders

    listed = {
        f"files/{at}": {"type": "source", "path": path, "url": url} for at, (path, (url, _)) in enumerate(files.items())
    }
    manifest = {"files": listed, "debug_id": SOURCES}
    return builders.source_bundle(manifest, {f"files/{at}": content for at, (_, content) in enumerate(files.values())})
