"""The service as the source of a symbolication, as a Symbolicator asks it: our own engine has the same decoders."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from symbolsvc.demo.symbolserver import SYMBOLS
from tests.debugfiles.uploading import bundle_of
from tests.service import Service, manage
from tests.symbolication.http import Tenant, call, new_tenant
from tests.symbolication.requests import is_resolved, ledger
from tests.symbolication.symbolserver import LEDGER
from tests.symbolication.test_javascript import MAP, SCRIPT

DEBUG_ID = "5f2c9a41-7d3e-4b65-9c0f-1a2b3c4d5e6f"
SCRIPTS = {
    "app.min.js": ("minified_source", "~/static/app.min.js", {"debug-id": DEBUG_ID}, SCRIPT.encode()),
    "app.min.js.map": ("source_map", "~/static/app.min.js.map", {"debug-id": DEBUG_ID}, json.dumps(MAP).encode()),
}


@pytest.fixture(scope="module")
def tenant(service: Service) -> Tenant:
    return new_tenant(service)


@pytest.fixture(scope="module")
def sources(service: Service, tenant: Tenant) -> dict:
    arguments = ["--org", tenant.organization, "--project", tenant.project, "--url", service.url, "--json"]
    done = manage("create_token", "--purpose", "sentry-source", *arguments, env=service.env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def send(tenant: Tenant, path: str, content: bytes) -> None:
    answer = call(f"{tenant.project_url}/{path}", "POST", content, token=tenant.token)
    assert answer.status == 201, answer.body


def test_native_frames_and_scripts_are_named_by_what_the_service_itself_serves(tenant: Tenant, sources: dict) -> None:
    native, scripts = sources["source"], sources["javascript_source"]
    root = f"{tenant.url}/symbolicate"

    def named(source: dict, **modules: object) -> bool:
        return is_resolved(tenant.post(root, {**ledger(sources=[source]), **modules}).json())

    assert not named(native)
    send(tenant, "debug-files/?name=libledger.so", (SYMBOLS / LEDGER).read_bytes())
    # The process that asked remembers for an hour that there was nothing: what a changing parameter is for.
    assert named({**native, "url": f"{native['url']}?_last_upload=1"})
    # Without a debug id the code id alone finds it.
    (module,) = ledger()["modules"]
    assert named(native, modules=[{key: value for key, value in module.items() if key != "debug_id"}])

    body = script_request(scripts)
    assert script_frame(tenant, body)["data"]["symbolicated"] is False
    send(tenant, f"artifact-bundles/?release={quote('app@1.0')}", bundle_of(SCRIPTS))
    fresh = {**scripts, "url": f"{scripts['url']}?_last_upload=1"}
    by_release = script_frame(tenant, script_request(fresh))
    by_id = script_frame(tenant, script_request(fresh, release=None, modules=[script_module()]))
    for frame, found_by in ((by_release, "release"), (by_id, "debug-id")):
        assert (frame["filename"], frame["lineno"], frame["context_line"]) == ("src/cart.js", 2, "  throw 1;")
        assert frame["data"]["resolved_with"] == found_by


def test_the_token_reads_and_does_no_more(tenant: Tenant, sources: dict) -> None:
    token = sources["token"]
    for method, path in (("POST", "debug-files/?name=x"), ("DELETE", "files/dsyms/?id=1"), ("GET", "scraping/")):
        status = call(f"{tenant.project_url}/{path}", method, b"x" if method == "POST" else None, token=token).status
        assert status == (200 if path == "scraping/" else 403)
    sibling = f"{tenant.url}/api/0/projects/{tenant.organization}/elsewhere/files/dsyms/"
    assert call(sibling, token=token).status == 404


def script_request(source: dict, release: str | None = "app@1.0", **more: object) -> dict:
    frame = {"abs_path": "https://shop.example/static/app.min.js", "lineno": 1, "colno": 14, "function": "a"}
    off = {"enabled": False, "allowed_origins": [], "headers": {}}
    return {"source": source, "release": release, "scraping": off, "stacktraces": [{"frames": [frame]}], **more}


def script_module() -> dict:
    url = "https://shop.example/static/app.min.js"
    return {"type": "sourcemap", "code_file": url, "debug_id": DEBUG_ID}


def script_frame(tenant: Tenant, body: dict) -> dict:
    answer = tenant.post(f"{tenant.url}/symbolicate-js", body).json()
    assert answer["status"] == "completed", answer
    return answer["stacktraces"][0]["frames"][0]
