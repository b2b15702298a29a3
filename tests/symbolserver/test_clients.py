"""Real debuggers and tools against a running service."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace

import pytest

from engine.sourcetypes.config import LayoutType
from tests.debugfiles.uploading import LEDGER, LEDGER_CODE_ID, LEDGER_DEBUG_ID
from tests.engine.shared_fixtures import shared
from tests.needed import program
from tests.service import Service
from tests.symbolication import symbolserver
from tests.symbolication.http import Tenant, call, new_tenant
from tests.symbolication.requests import is_resolved, ledger, stored_source
from tests.symbolserver.asking import source_bundle

CRASH = "fixtures/captures/crash"
# Where the compiler found it, as the debug information says.
SOURCE_PATH = "/srv/build/crashlab/crash/ledger.cpp"
STOPPED_AT, STOPPED_IN_LINE = 0x1441, 59


@dataclass(frozen=True)
class Site:
    """A project with its files uploaded, and a token that reads them and nothing else."""

    tenant: Tenant
    token: str

    @property
    def host(self) -> str:
        return self.tenant.url.removeprefix("http://")

    @property
    def path(self) -> str:
        return f"symbols/{self.tenant.organization}/{self.tenant.project}"

    @property
    def in_path(self) -> str:
        return f"http://{self.host}/{self.path}/t/{self.token}/"

    @property
    def by_password(self) -> str:
        return f"http://debugger:{self.token}@{self.host}/{self.path}/"


@pytest.fixture(scope="module")
def site(service: Service) -> Site:
    tenant = new_tenant(service)
    source = shared(f"{CRASH}/source/ledger.cpp").read_bytes()
    ids = {"debug_id": LEDGER_DEBUG_ID, "code_id": LEDGER_CODE_ID, "object_name": "libledger.so", "arch": "x86_64"}
    bundle = source_bundle(SOURCE_PATH, source, **ids)
    crashed = symbolserver.demo_files()[symbolserver.LEDGER]
    for name, content in (
        ("libledger.so", LEDGER.read_bytes()),
        ("libledger.src.zip", bundle),
        ("libledger.so", crashed),
    ):
        sent = call(f"{tenant.project_url}/debug-files/?name={name}", "POST", content, token=tenant.token)
        assert sent.status == 201, sent.body
    return Site(tenant, service.token(tenant.organization, tenant.project, scopes=["symbols:read"]))


def run(command, url, tmp_path, **env):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DEBUGINFOD_URLS": url,
        "LC_ALL": "C.UTF-8",
        **env,
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path)


@pytest.fixture
def stripped(tmp_path):
    """The library as it is shipped: nothing in it but code and its build id."""
    path = tmp_path / "libledger.so"
    path.write_bytes(shared(f"{CRASH}/builds/fp/libledger.so.stripped").read_bytes())
    return path


@pytest.mark.parametrize("way", ["in_path", "by_password"])
@pytest.mark.parametrize("kind", ["debuginfo", "executable", "source"])
def test_debuginfod_find(site, kind, way, tmp_path):
    what = [kind, LEDGER_CODE_ID, *([SOURCE_PATH] if kind == "source" else [])]
    done = run([program("debuginfod-find"), *what], getattr(site, way), tmp_path)
    assert done.returncode == 0, done.stderr
    expected = shared(f"{CRASH}/source/ledger.cpp") if kind == "source" else LEDGER
    with open(done.stdout.strip(), "rb") as found:
        assert found.read() == expected.read_bytes()


def test_debuginfod_find_gets_nothing_with_another_token(site, tmp_path):
    other = replace(site, token="0" * 64)
    assert run([program("debuginfod-find"), "debuginfo", LEDGER_CODE_ID], other.in_path, tmp_path).returncode != 0


@pytest.mark.parametrize("way", ["in_path", "by_password"])
def test_gdb_shows_functions_and_lines_of_source(site, way, stripped, tmp_path):
    commands = ["-iex", "set debuginfod enabled on", "-ex", f"list *{STOPPED_AT:#x}"]
    done = run([program("gdb"), "-nx", "-batch", *commands, str(stripped)], getattr(site, way), tmp_path)

    line = shared(f"{CRASH}/source/ledger.cpp").read_text().splitlines()[STOPPED_IN_LINE - 1]
    assert f"is in ledger::Book::total(int) const (ledger.cpp:{STOPPED_IN_LINE})" in done.stdout, done.stdout
    assert f"{STOPPED_IN_LINE}\t{line}" in done.stdout, done.stdout + done.stderr


def test_llvm_symbolizer_names_the_function(site, stripped, tmp_path):
    done = run([program("llvm-symbolizer"), f"--obj={stripped}", f"{STOPPED_AT:#x}"], site.in_path, tmp_path)
    assert done.stdout.startswith("ledger::Book::total(int) const"), done.stdout + done.stderr
    assert f"ledger.cpp:{STOPPED_IN_LINE}:" in done.stdout


def test_curl_goes_on_where_a_download_broke_off(site, tmp_path):
    whole = LEDGER.read_bytes()
    target = tmp_path / "part"
    target.write_bytes(whole[:40_000])
    url = f"http://{site.host}/{site.path}/_.debug/elf-buildid-sym-{LEDGER_CODE_ID}/_.debug"
    done = run([program("curl"), "-fsS", "-u", f"any:{site.token}", "-C", "-", "-o", str(target), url], "", tmp_path)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == whole


@pytest.mark.parametrize("layout", list(LayoutType))
def test_our_own_engine_resolves_from_it_by_every_layout(service, site, layout):
    """A project of another organization has it as an http source with a password, as a Symbolicator would."""
    other = new_tenant(service, 1)
    url = f"http://{site.host}/{site.path}/" + ("buildid/" if layout is LayoutType.DEBUGINFOD else "")
    source = stored_source(url, username="any", password=site.token) | {"layout": {"type": layout.value}}
    stored = other.post(other.sources_url, source)
    assert stored.status == 201, stored.body

    answer = other.symbolicate(ledger()).json()
    assert is_resolved(answer), answer["modules"][0]["candidates"]
    assert {row["source"] for row in answer["modules"][0]["candidates"]} == {"builds"}


def test_no_token_is_in_the_log(service, site, tmp_path):
    for path in (f"t/{site.token}/buildid/{LEDGER_CODE_ID}/debuginfo", "t/mistyped-secret/buildid/aa/debuginfo"):
        call(f"http://{site.host}/{site.path}/{path}")
    call(f"http://{site.host}/proxy/t/another-secret/a.pdb/1/a.pdb")
    assert f"{site.path}/t/{site.token[:8]}" in service.log
    for secret in (site.token, "mistyped-secret", "another-secret"):
        assert secret not in service.log
