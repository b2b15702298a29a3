"""Uploads by Backtrace's and Breakpad's tools to a running service, and what is resolved by them afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.clients.tools import Pinned, install
from tests.crashes.conftest import Place
from tests.crashes.replay import SUBDOMAIN, TOKEN, Recorded
from tests.engine.shared_fixtures import shared
from tests.needed import program
from tests.service import Service
from tests.symbolication.http import call
from tests.symbolication.requests import is_resolved, ledger

ARCHIVES = "fixtures/captures/symbol_archives/symbols."
MODULES = ("crashy", "crashy.debug", "libledger.so", "libledger.so.debug")


def curl(*arguments: str) -> dict:
    done = subprocess.run(
        [program("curl"), "-sS", *arguments], capture_output=True, timeout=120, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "7z", "cpio"])
def test_an_archive_resolves_a_frame_that_was_missed_a_moment_before(place: Place, suffix):
    archive = shared(ARCHIVES + suffix)
    if suffix == "tar.xz":
        assert not is_resolved(place.tenant.symbolicate(ledger()).json())

    sent = curl("-F", f"upload_file=@{archive}", "-F", "tag=test", "-H", "Expect:", place.url("symbols"))
    assert sent["response"] == "ok"
    (upload,) = sent["uploads"]
    assert [one["name"] for one in upload["taken"]] == list(MODULES)
    assert is_resolved(place.tenant.symbolicate(ledger()).json())
    (listed,) = place.tenant.get(f"{place.tenant.project_url}/uploads/").json()
    assert (listed["rxid"], listed["tag"], listed["format"]) == (sent["_rxid"], "test", "symbols")


def uploads(service: Service) -> list[tuple]:
    """What was recorded for the tenant of the captures, newest first."""
    with psycopg.connect(service.env["DATABASE_URL"]) as connection:
        return connection.execute(
            """SELECT r.rxid, r.format, r.name, r.tag, r.taken, r.outcomes FROM debugfiles_uploadrecord r
            JOIN projects_project p ON p.id = r.project_id JOIN projects_organization o ON o.id = p.organization_id
            WHERE o.slug = %s ORDER BY r.id DESC""",
            [SUBDOMAIN],
        ).fetchall()


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("curl-symbols-tar-raw", ("symbols", "", "v1", 4)),
        ("curl-big-default-expect", ("symbols", "", "anon", 4)),
        ("curl-symbols-sym-gzip", ("symbols", "libledger.so.sym", "v1", 1)),
        ("breakpad-sym_upload-v1", ("symbols", "libledger.so.sym", "anon", 1)),
        ("curl-sourcemap", ("sourcemap", "test.js.map", "test", 1)),
        ("backtrace-js-cli-sourcemap", ("sourcemap", "", "anon", 1)),
    ],
)
def test_recorded_uploads_are_taken_as_they_were_sent(saucebot: Service, name, record):
    reply = Recorded.read(name).sent_to(saucebot)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json()["response"] == "ok"
    newest = uploads(saucebot)[0]
    assert newest[0] == reply.json()["_rxid"]
    assert newest[1:5] == record


def test_the_recorded_steps_of_breakpads_second_protocol(saucebot: Service):
    def step(number: int) -> Recorded:
        return Recorded.read(f"breakpad-sym_upload-v2-step{number}").replaced("SECRETKEY", TOKEN)

    asked = step(1).sent_to(saucebot).json()["status"]
    made = step(2).sent_to(saucebot).json()
    path = made["uploadUrl"].partition("127.0.0.1:18080")[2]
    put = step(3).replaced("/v2/put/abc", path).sent_to(saucebot)
    assert put.status == 200, put.body
    done = step(4).replaced("/uploads/abc:", f"/uploads/{made['uploadKey']}:").sent_to(saucebot)

    # Another test may have sent a file with this id before, the same or another one.
    assert done.json()["result"] in (("OK",) if asked == "MISSING" else ("OK", "DUPLICATE_DATA"))
    assert step(1).sent_to(saucebot).json() == {"status": "FOUND"}


@pytest.mark.parametrize(("before", "after"), [("/api/post", "//post"), ("/api/post", "/submit.backtrace.io/post")])
def test_a_second_slash_and_the_hosts_name_are_passed_over(saucebot: Service, before, after):
    assert Recorded.read("curl-symbols-sym-gzip").replaced(before, after).sent_to(saucebot).status == 200


@pytest.fixture
def built(tmp_path: Path) -> Path:
    project = shared("fixtures/captures/payloads/sourcemap_project")
    copy = tmp_path / "dist"
    shutil.copytree(project, copy, copy_function=shutil.copyfile)
    copy.chmod(0o755)
    return copy


def test_backtraces_own_command_line(place: Place, built: Path):
    pinned = Pinned("npm", ("@backtrace-labs/javascript-cli@0.1.2",), "node_modules/.bin/backtrace-js")
    tool = install("backtrace-js-0.1.2", pinned)
    command = [str(tool), "upload", "--include-sources", "--url", place.url("sourcemap"), str(built)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    (upload,) = place.tenant.get(f"{place.tenant.project_url}/uploads/").json()
    assert (upload["format"], upload["takenCount"]) == ("sourcemap", 1)
    frame = resolved(place, "dae040fe-f98b-7965-2a14-ba5d954c609f", lineno=3, column=1)
    assert (frame["filename"], frame["lineno"]) == ("app.ts", 1)


def resolved(place: Place, debug_id: str, lineno: int, column: int) -> dict:
    """A frame of a script as the project's symbolication sees it."""
    url = "https://example.com/app.js"
    body = {
        "platform": "javascript",
        "stacktraces": [{"frames": [{"abs_path": url, "lineno": lineno, "colno": column}]}],
        "modules": [{"type": "sourcemap", "code_file": url, "debug_id": debug_id}],
        "scraping": {"enabled": False, "allowed_origins": []},
    }
    answer = place.tenant.post(f"{place.tenant.project_url}/symbolicate-js/", body).json()
    assert answer["status"] == "completed", answer
    return answer["stacktraces"][0]["frames"][0]


def test_a_map_alone_resolves_a_frame_by_its_debug_id(place: Place):
    sent = curl("-F", f"upload_file=@{shared('fixtures/captures/payloads/test.js.map')}", place.url("sourcemap"))
    assert sent["uploads"][0]["taken"][0]["ids"] == ["6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a"]
    frame = resolved(place, "6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a", lineno=1, column=20)
    assert frame["filename"] == "src/test.ts"


def test_a_mapping_is_found_by_its_symbolication_id(place: Place, tmp_path: Path):
    mapping = tmp_path / "mapping.txt"
    mapping.write_text("org.example.Main -> a.b:\n    1:3:void run():10:12 -> c\n")
    uuid = "6a2c9dd3-0e0b-4b0f-a6c5-1a2b3c4d5e6f"
    curl("--data-binary", f"@{mapping}", place.url("proguard", f"symbolication_id={uuid}"))
    body = {
        "modules": [{"type": "proguard", "uuid": uuid}],
        "stacktraces": [{"frames": [{"function": "c", "module": "a.b", "lineno": 1, "index": 0}]}],
        "exceptions": [],
    }
    answer = place.tenant.post(f"{place.tenant.project_url}/symbolicate-jvm/", body).json()
    frame = answer["stacktraces"][0]["frames"][0]
    assert (frame["module"], frame["function"], frame["lineno"]) == ("org.example.Main", "run", 10)


def test_a_refusal_comes_before_a_waiting_client_sends_its_body(place: Place):
    wrong = place.url("symbols").replace(place.uploader, "0" * 64)
    done = subprocess.run(
        [program("curl"), "-sv", "-H", "Expect: 100-continue", "-F", f"upload_file=@{shared(ARCHIVES + 'tar')}", wrong],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "403" in done.stderr
    assert "100 Continue" not in done.stderr
    assert json.loads(done.stdout)["error"]["message"] == "invalid token"


def test_a_preflight_is_answered(place: Place):
    answer = call(place.url("symbols"), "OPTIONS")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
