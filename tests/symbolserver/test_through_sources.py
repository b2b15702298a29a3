"""What a project lacks, fetched through its symbol sources; and the operator's default sources under `/proxy/`."""

from __future__ import annotations

import gzip
import json
import threading

import pytest

from symbolserver import fetching
from symbolserver.models import Serving
from tests.cast import Api, make_project, make_token
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, upload
from tests.engine.formats import builders
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import raw, reply, web_server
from tests.symbolication.requests import stored_source
from tests.symbolserver.asking import ask, ask_at, basic, content_of, source_bundle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("blobs", "environment")]

PATH = f"buildid/{LEDGER_CODE_ID}/debuginfo"
AT_SOURCE = f"/{LEDGER_CODE_ID[:2]}/{LEDGER_CODE_ID[2:]}"
PROXIED = f"/proxy/_.debug/elf-buildid-sym-{LEDGER_CODE_ID}/_.debug"
WINDOWS = "fixtures/peers/symbolic/windows"


@pytest.fixture
def upstream():
    with web_server() as server:
        server.routes[f"{AT_SOURCE}.debug"] = reply(body=LEDGER.read_bytes())
        server.routes[AT_SOURCE] = reply(body=LEDGER.read_bytes())
        yield server


@pytest.fixture
def project(acme, acme_project, upstream):
    """A project that asks its one source."""
    made = Api(make_token(acme)).post("/api/0/projects/acme/native-app/symbol-sources/", stored_source(upstream.url))
    assert made.status_code == 201, made.content
    Serving.objects.create(project=acme_project, sources=True)
    return acme_project


def test_what_the_project_lacks_comes_from_its_source(project, upstream, token):
    answer = ask(PATH, token)
    assert content_of(answer) == LEDGER.read_bytes()
    assert answer["Content-Length"] == str(LEDGER.stat().st_size)

    part = ask(PATH, token, range="bytes=4-9", if_range=answer["ETag"])
    assert (part.status_code, content_of(part)) == (206, LEDGER.read_bytes()[4:10])
    assert ask(PATH, token, method="HEAD").status_code == 200
    assert upstream.paths == [f"{AT_SOURCE}.debug"], "it was fetched once"


def test_its_own_files_come_first(project, upstream, token):
    upload(project, LEDGER.read_bytes(), "libledger.so")
    assert ask(PATH, token).status_code == 200
    assert not upstream.asked


def test_sources_are_not_asked_unless_the_project_says_so(project, upstream, token):
    Serving.objects.update(sources=False)
    assert ask(PATH, token).status_code == 404
    assert not upstream.asked


def test_sources_are_never_asked_for_strangers(project, upstream):
    Serving.objects.update(public=True)
    assert ask(PATH).status_code == 404
    assert not upstream.asked


def test_another_project_does_not_get_it(project, acme, token):
    make_project(acme, "website")
    assert ask(PATH, token).status_code == 200
    assert ask(PATH, token, project="acme/website").status_code == 404


def test_what_no_source_has_is_not_found(project, upstream, token):
    assert ask("buildid/abcdef0123/debuginfo", token).status_code == 404
    assert upstream.paths == ["/ab/cdef0123.debug"]


@pytest.mark.parametrize("failure", ["500 Internal Server Error", "403 Forbidden"])
def test_a_source_that_cannot_be_asked_is_no_absence(failure, project, upstream, token):
    upstream.default = reply(failure)
    answer = ask("buildid/abcdef0123/debuginfo", token)
    assert (answer.status_code, answer["Cache-Control"]) == (502, "no-store")


def test_a_file_that_is_packed_at_the_source_comes_plain(project, upstream, token):
    content = shared(f"{WINDOWS}/crash.pdb").read_bytes()
    upstream.routes["/crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pd_"] = reply(body=gzip.compress(content))
    answer = ask("crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb", token)
    assert content_of(answer) == content


def test_an_object_of_a_fat_file_at_the_source_comes_alone(project, upstream, token):
    names = ("minidump/crash_macos.dSYM/Contents/Resources/DWARF/crash_macos", "macos/crash")
    objects = [shared(f"fixtures/peers/symbolic/{name}").read_bytes() for name in names]
    path = "67E9/247C/814E/392B/A027/DBDE6748FCBF.app"
    upstream.routes[f"/{path}"] = reply(body=builders.fat([(0x0100000C, 0, objects[0]), (0x01000007, 3, objects[1])]))
    assert content_of(ask(path, token)) == objects[1]


def test_only_so_many_requests_wait_for_sources(project, upstream, token, monkeypatch):
    monkeypatch.setattr(fetching, "_places", threading.BoundedSemaphore(1))
    with fetching._a_place():
        answer = ask(PATH, token)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert not upstream.asked
    assert ask(PATH, token).status_code == 200


def test_a_source_that_takes_too_long(project, upstream, token, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    upstream.default = raw(b"HTTP/1.1 200 OK\r\n", pause=3.0)
    assert ask("buildid/abcdef0123/debuginfo", token).status_code == 504


def test_maps_are_not_looked_for_at_sources(project, upstream, token):
    assert ask("67/e9247c814e392ba027dbde6748fcbf/bcsymbolmap", token).status_code == 404
    assert not upstream.asked


def test_a_source_file_comes_out_of_a_bundle_at_the_source(project, upstream, token):
    upstream.routes[f"{AT_SOURCE}.src.zip"] = reply(
        body=source_bundle("/build/a.c", b"int a;\n", code_id=LEDGER_CODE_ID)
    )
    answer = ask(f"buildid/{LEDGER_CODE_ID}/source/build/a.c", token)
    assert content_of(answer) == b"int a;\n"
    assert ask(f"buildid/{LEDGER_CODE_ID}/source/build/b.c", token).status_code == 404


@pytest.fixture
def defaults(upstream, environment, tmp_path):
    """The upstream server is the operator's one default source."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"sources": [{"id": "default", "type": "http", "url": upstream.url}]}))
    environment(SYMBOLICATOR_CONFIG=str(path))
    return environment


def proxied(path, token, method="GET", **headers):
    return ask_at(path, method, authorization=basic(token), **headers)


def test_the_proxy_gives_files_of_the_default_sources(defaults, upstream, token):
    answer = proxied(PROXIED, token)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/octet-stream")
    assert answer["Content-Length"] == str(LEDGER.stat().st_size)
    assert content_of(answer) == LEDGER.read_bytes()
    head = proxied(PROXIED, token, "HEAD")
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", answer["Content-Length"])
    assert upstream.paths == [f"{AT_SOURCE}.debug"]


def test_the_proxy_wants_a_token_in_any_way_or_none_on_a_trusted_network(defaults, acme, umbrella, token):
    assert ask_at(PROXIED).status_code == 401
    assert ask_at(PROXIED)["WWW-Authenticate"].startswith("Basic")
    assert proxied(PROXIED, "0" * 64).status_code == 401
    assert proxied(PROXIED, make_token(acme, scopes=["project:read"])).status_code == 403
    assert proxied(PROXIED, make_token(umbrella, scopes=["symbols:read"])).status_code == 200
    assert ask_at(PROXIED, authorization=f"Bearer {token}").status_code == 200
    assert ask_at(PROXIED.replace("/proxy/", f"/proxy/t/{token}/")).status_code == 200
    defaults(SYMBOLICATOR_ANONYMOUS=True)
    assert ask_at(PROXIED).status_code == 200


def test_the_proxy_can_be_turned_off(defaults, token):
    defaults(SYMSTORE_PROXY=False)
    answer = proxied(PROXIED, token)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    "path",
    [
        "a.pdb/3249D99D0C4049318610F4E4FB0B69361/b.pdb",
        "a.pdb/not-an-id/a.pdb",
        "a.pdb/3249D99D0C4049318610F4E4FB0B69361",
        "a.exe/---/a.exe",
        f"{LEDGER_CODE_ID[:2]}/{LEDGER_CODE_ID[2:]}.debug",
        "x/y/z/x",
        "absent.pdb/3249D99D0C4049318610F4E4FB0B69361/absent.pdb",
    ],
)
def test_the_proxy_knows_symstores_form_alone(path, defaults, token):
    answer = proxied(f"/proxy/{path}", token)
    assert (answer.status_code, answer.content) == (404, b"")


def test_the_proxy_compares_names_without_case(defaults, upstream, token):
    upstream.routes["/Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.pdb"] = reply(
        body=shared(f"{WINDOWS}/crash.pdb").read_bytes()
    )
    answer = proxied("/proxy/Crash.pdb/3249d99d0c4049318610f4e4fb0b69361/crash.PDB", token)
    assert content_of(answer) == shared(f"{WINDOWS}/crash.pdb").read_bytes()


def test_the_proxy_has_no_programs_without_symbols(defaults, upstream, token):
    """A debugger learns nothing from them, says Symbolicator; a project's symbol server gives them."""
    upstream.routes["/crash.exe/5AB380779000/crash.exe"] = reply(body=shared(f"{WINDOWS}/crash.exe").read_bytes())
    assert proxied("/proxy/crash.exe/5AB380779000/crash.exe", token).status_code == 404
    assert "/crash.exe/5AB380779000/crash.exe" in upstream.paths


def test_the_proxy_says_why_a_download_failed(defaults, upstream, token):
    upstream.default = reply("500 Internal Server Error")
    answer = proxied("/proxy/a.pdb/3249D99D0C4049318610F4E4FB0B69361/a.pdb", token)
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": "failed to download object",
        "causes": ["download failed: 500 Internal Server Error"],
    }
