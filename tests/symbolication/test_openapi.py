"""The description of the endpoints: it agrees with what is read, with what is answered, and with its own examples."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from engine.javascript import wire as js_wire
from engine.javascript.diagnosis import Diagnosis
from engine.javascript.sentry_artifacts import ArtifactSource
from engine.jvm import wire as jvm_wire
from engine.native import wire
from projects.models import Organization, Project
from symbolication import stored_files
from symbolication.description import bodies, crash_files, javascript, jvm
from tests.cast import Api, make_token
from tests.symbolication import symbolserver
from tests.symbolication.dumps import dump, served
from tests.symbolication.forms import post
from tests.symbolication.requests import crash, http_source
from tests.symbolication.symbolserver import SymbolServer

PROJECT_PATH = "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/"
PATHS = {
    "/symbolicate": "post",
    "/symbolicate-any": "post",
    "/symbolicate-js": "post",
    "/symbolicate-jvm": "post",
    "/minidump": "post",
    "/applecrashreport": "post",
    "/requests/{request_id}": "get",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate-any/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate-js/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate-jvm/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/minidump/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/applecrashreport/": "post",
    "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/requests/{request_id}/": "get",
}


@cache
def schema() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-any-return]


def operation(path: str) -> dict[str, Any]:
    return schema()["paths"][path][PATHS[path]]  # type: ignore[no-any-return]


def problems(part: dict[str, Any], value: Any) -> list[str]:
    described = {**part, "components": schema()["components"]}
    return [error.message for error in Draft202012Validator(described).iter_errors(value)]


@pytest.mark.parametrize("path", PATHS)
def test_every_example_is_valid(path: str) -> None:
    described = operation(path)
    parts = [described.get("requestBody", {}), *described["responses"].values()]
    seen = 0
    for content in (content for part in parts for content in part.get("content", {}).values()):
        for example in content.get("examples", {}).values():
            seen += 1
            assert problems(content["schema"], example["value"]) == []
    assert seen >= 3


def test_every_status_is_described_with_its_form() -> None:
    forms = {
        (status, form)
        for status, response in operation(
            "/api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/symbolicate/"
        )["responses"].items()
        for form in response["content"]
    }

    text, json = "text/plain", "application/json"
    assert {("400", text), ("408", text), ("413", text), ("415", text), ("422", text)} <= forms
    assert {("400", json), ("401", json), ("403", json), ("404", json), ("405", json), ("503", json)} <= forms
    assert "content" not in operation("/requests/{request_id}")["responses"]["404"]


@pytest.mark.parametrize(
    ("described", "read"),
    [
        (bodies.NativeFrame, wire.Frame),
        (bodies.NativeModule, wire.Module),
        (bodies.NativeStack, wire.Stack),
        (bodies.SymbolicationOptions, wire.Options),
        (bodies.ScrapingOptions, wire.Scraping),
        (bodies.Symbolication, wire.Body),
        (javascript.JavascriptFrameData, js_wire.FrameData),
        (javascript.JavascriptModule, js_wire._Module),
        (javascript.JavascriptScraping, js_wire._Scraping),
        (javascript.JavascriptOptions, js_wire._Options),
        (javascript.JavascriptSource, ArtifactSource),
        (javascript.JavascriptDiagnosis, Diagnosis),
        (jvm.JvmExceptionClass, jvm_wire.JvmException),
        (jvm.JvmStack, jvm_wire.JvmStacktrace),
        (jvm.JvmFile, jvm_wire.JvmModule),
        (jvm.JvmRequestOptions, jvm_wire.JvmOptions),
        (crash_files.MinidumpPlace, stored_files._Minidump),
        (crash_files.AppleReportPlace, stored_files._AppleReport),
        (crash_files.CrashFilePlace, stored_files._Body),
    ],
)
def test_the_description_names_the_fields_that_are_read(
    described: type[msgspec.Struct], read: type[msgspec.Struct]
) -> None:
    assert fields(described) == fields(read)


@pytest.mark.parametrize(
    ("described", "read", "answered"),
    [
        (javascript.JavascriptFrame, js_wire.Frame, {"diagnosis"}),
        (jvm.JvmStackFrame, jvm_wire.JvmFrame, {"diagnosis", "method_synthesized"}),
    ],
)
def test_frames_that_are_read_and_answered_are_described_as_either(
    described: type[msgspec.Struct], read: type[msgspec.Struct], answered: set[str]
) -> None:
    assert fields(described) == {name: required for name, required in fields(read).items() if name not in answered}


def fields(struct: type[msgspec.Struct]) -> dict[str, bool]:
    """The names of the fields, and whether they are required."""
    return {field.encode_name: field.required for field in msgspec.structs.fields(struct)}


@pytest.mark.django_db
@pytest.mark.usefixtures("environment")
def test_a_real_answer_is_as_described(acme: Organization, acme_project: Project, symbol_server: SymbolServer) -> None:
    body = {**crash(), "sources": [http_source(symbol_server.url), http_source(f"{symbol_server.url}none/", "none")]}
    assert problems(operation("/symbolicate")["requestBody"]["content"]["application/json"]["schema"], body) == []

    answer = Api(make_token(acme)).post("/symbolicate", body).json()

    content = operation("/symbolicate")["responses"]["200"]["content"]["application/json"]
    assert answer["status"] == "completed"
    assert problems(content["schema"], answer) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("environment")
def test_real_answers_to_crash_files_are_as_described(acme: Organization, acme_project: Project) -> None:
    api = Api(make_token(acme))
    with symbolserver.running(served()) as server:
        named = post(api, "/minidump", upload_file_minidump=dump(), sources=[http_source(server.url)])
    project = "/api/0/projects/acme/native-app/minidump/"
    report = b"Incident Identifier: 11111111-2222-3333-4444-555555555555\nCode Type: ARM-64\n\n"
    answers = {
        "/minidump": named,
        PROJECT_PATH + "minidump/": post(api, project, upload_file_minidump=dump()),
        "/applecrashreport": post(api, "/applecrashreport", apple_crash_report=report),
    }

    for path, answer in answers.items():
        assert answer.json()["status"] == "completed"
        content = operation(path)["responses"]["200"]["content"]["application/json"]
        assert problems(content["schema"], answer.json()) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("environment")
def test_real_answers_to_other_stacks_are_as_described(acme: Organization, acme_project: Project) -> None:
    api, project = Api(make_token(acme)), "/api/0/projects/acme/native-app"
    frame = {"abs_path": "https://127.0.0.1:9/a.js", "lineno": 1, "colno": 1}
    jvm_frame = {"function": "a", "module": "a.b", "lineno": 2, "index": 7, "in_app": True}
    mapping = {"uuid": "246fb328-fc4e-406a-87ff-fc35f6149d8f", "type": "proguard"}
    asked: dict[str, Any] = {
        "symbolicate-js": {"stacktraces": [{"frames": [frame]}]},
        "symbolicate-jvm": {"stacktraces": [{"frames": [jvm_frame]}], "modules": [mapping]},
    }

    for name, body in asked.items():
        answer = api.post(f"{project}/{name}/", body).json()
        described = operation(f"{PROJECT_PATH}{name}/")
        assert "diagnosis" in answer["stacktraces"][0]["frames"][0]
        assert problems(described["requestBody"]["content"]["application/json"]["schema"], body) == []
        assert problems(described["responses"]["200"]["content"]["application/json"]["schema"], answer) == []
