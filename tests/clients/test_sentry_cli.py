"""Real clients of Sentry upload to a running service, which uses what they uploaded at once."""

from __future__ import annotations

import re
import shutil
import subprocess
from uuid import uuid4

import pytest

from tests.clients.running import CLIENTS, Cli
from tests.clients.tools import client
from tests.debugfiles.uploading import LEDGER
from tests.engine.shared_fixtures import shared
from tests.needed import program
from tests.service import ROOT, Service
from tests.symbolication.http import call, new_tenant
from tests.symbolication.requests import is_resolved, ledger

FIXTURES = ROOT / "tests" / "fixtures"
MAPPING = FIXTURES / "jvm" / "optimized" / "mapping.txt"
PEERS = "fixtures/peers/symbolic"

each_client = pytest.mark.parametrize(("name", "version"), CLIENTS)


@pytest.fixture
def tenant(service: Service):
    return new_tenant(service)


@pytest.fixture
def cli(tenant, tmp_path):
    """Makes the client of a name and version."""
    return lambda name="sentry-cli", version="3.8.2": Cli(name, version, tenant, tmp_path)


def uploaded(tenant) -> dict[tuple[str, str], str]:
    """Debug ids by type and name of what the project has."""
    rows = tenant.get(f"{tenant.project_url}/debug-files/").json()
    return {(row["symbolType"], row["objectName"]): row["debugId"] for row in rows}


@each_client
def test_native_files_of_every_platform(tenant, cli, name, version):
    linux, mac, windows = (shared(f"{PEERS}/{system}") for system in ("linux", "macos", "windows"))
    files = [
        linux / "crash",
        linux / "crash.debug",
        windows / "crash.pdb",
        windows / "CrashWithException.exe",
        windows / "portable.pdb",
        mac / "crash.dSYM",
    ]
    cli(name, version).run("debug-files", "upload", "--wait", *files)

    found = uploaded(tenant)
    assert {kind for kind, _ in found} >= {"elf", "pdb", "pe", "macho"}
    assert found["elf", "crash.debug"] == found["elf", "crash"] == "c0bcc3f1-9827-fe65-3058-404b2831d9e6"


def test_what_is_there_is_not_sent_again(tenant, cli):
    for said in ("Uploaded|Nothing", "Nothing to upload"):
        assert re.search(said, cli().run("debug-files", "upload", "--wait", LEDGER))
    assert len(uploaded(tenant)) == 1


def test_sources_come_beside_their_debug_file(tenant, cli, tmp_path):
    (tmp_path / "hello.c").write_text("int main(void) { return 0; }\n")
    subprocess.run([program("gcc", "cc"), "-g", "hello.c", "-o", "hello"], cwd=tmp_path, check=True)
    breakpad = shared(f"{PEERS}/linux/crash.sym")
    cli().run("debug-files", "upload", "--wait", "--include-sources", breakpad, tmp_path / "hello")

    found = uploaded(tenant)
    assert {kind for kind, _ in found} == {"breakpad", "elf", "sourcebundle"}
    assert len({debug_id for (kind, _), debug_id in found.items() if kind != "breakpad"}) == 1


@pytest.mark.parametrize(("name", "version"), CLIENTS[:3])
def test_proguard_mappings_under_the_uuid_that_is_given(tenant, cli, name, version):
    uuid = str(uuid4())
    cli(name, version).run("upload-proguard", "--uuid", uuid, MAPPING)
    assert set(uploaded(tenant).values()) == {uuid}


def test_a_frame_that_was_missed_a_moment_ago_is_resolved(tenant, cli, tmp_path):
    for _ in range(4):
        assert not is_resolved(tenant.symbolicate(ledger()).json())
    symbols = ROOT / "symbolsvc" / "demo" / "symbols" / "39" / "88be7f44385cce25e399210deb9a5f57be012e"
    cli().run("debug-files", "upload", "--wait", shutil.copy(symbols, tmp_path / "libledger.debug"))
    # Connections of their own: both web processes are asked.
    answers = [tenant.symbolicate(ledger()).json() for _ in range(6)]
    assert [one for one in answers if not is_resolved(one)] == []


@pytest.mark.parametrize(
    ("name", "version", "options"),
    [(*one, ()) for one in CLIENTS] + [(*one, ("--release", "shop@1.0", "--dist", "42")) for one in CLIENTS[:3]],
)
def test_scripts_and_source_maps(tenant, cli, tmp_path, name, version, options):
    build = shutil.copytree(FIXTURES / "js" / "esbuild", tmp_path / "build")
    tool = cli(name, version)
    if not options:
        tool.run("sourcemaps" if tool.is_rust else "sourcemap", "inject", build)
    tool.upload_maps(build, *options)

    frame, debug_id = frame_in(build / "app.js")
    request = {"stacktraces": [{"frames": [frame]}], "modules": []}
    if options:
        request |= {"release": "shop@1.0", "dist": "42"}
    else:
        request["modules"] = [{"type": "sourcemap", "code_file": frame["abs_path"], "debug_id": debug_id}]
    (resolved,) = tenant.post(f"{tenant.project_url}/symbolicate-js/", request).json()["stacktraces"][0]["frames"]
    assert resolved["abs_path"].endswith("src/cart.js")
    assert "this.lines.reduce" in resolved["context_line"]


def frame_in(script):
    """A frame at a known place of a built script, and the script's debug id if it has one."""
    lines = script.read_text().splitlines()
    number, line = next((number, line) for number, line in enumerate(lines, 1) if "this.lines.reduce" in line)
    column = line.index("reduce") + 1
    ids = [line.partition("debugId=")[2] for line in lines if line.startswith("//# debugId=")]
    frame = {"abs_path": "https://example.com/app.js", "filename": "app.js", "lineno": number, "colno": column}
    return frame, next(iter(ids), None)


@pytest.mark.parametrize(("name", "version"), CLIENTS[:3])
def test_releases_projects_and_organizations(tenant, cli, name, version):
    tool = cli(name, version)
    tool.run("releases", "new", "shop@2.0")
    tool.run("releases", "finalize", "shop@2.0")
    assert "shop@2.0" in tool.run("releases", "list")
    tool.run("releases", "delete", "shop@2.0")
    assert "shop@2.0" not in tool.run("releases", "list")
    assert tenant.project in tool.run("projects", "list")
    assert tenant.organization in tool.run("organizations", "list")
    assert "project:write" in tool.run("info")


def test_releases_by_the_newer_client(tenant, cli):
    tool = cli(*CLIENTS[-1])
    version = f"app@{uuid4().hex[:8]}"
    tool.run("release", "create", version)
    tool.run("release", "finalize", version)
    rows = tenant.get(f"{tenant.url}/api/0/organizations/{tenant.organization}/releases/?query={version}").json()
    assert [(row["version"], row["dateReleased"] is not None) for row in rows] == [(version, True)]


@pytest.mark.parametrize("version", ["3.8.2", "2.58.2", "2.39.1"])
def test_a_token_that_opens_nothing_is_said(cli, version):
    said = cli(version=version).run("info", status=1, env={"SENTRY_AUTH_TOKEN": "f" * 64})
    assert "Invalid token" in said


def test_a_file_that_is_refused_ends_with_the_reason(cli, tmp_path):
    (tmp_path / "mapping.txt").write_text("# nothing is renamed here\n")
    said = cli().run("upload-proguard", tmp_path / "mapping.txt", status=1)
    assert "mapping.txt" in said or "not a debug file" in said


BUILD = """
const {{ sentryEsbuildPlugin }} = require("@sentry/esbuild-plugin");
require("esbuild").build({{
  entryPoints: ["src/main.js"], bundle: true, minify: true, sourcemap: true, outfile: "out/app.js", format: "esm",
  plugins: [sentryEsbuildPlugin({{
    url: "{url}", org: "{org}", project: "{project}", authToken: "{token}", telemetry: false, debug: true,
    release: {{ name: "plugin@1.0" }},
  }})],
}}).catch(() => process.exit(1));
"""


def test_a_bundlers_plugin(tenant, tmp_path):
    modules = client("esbuild-plugin", "5.3.0").parents[1]
    shutil.copytree(FIXTURES / "js" / "src", tmp_path / "src")
    (tmp_path / "node_modules").symlink_to(modules)
    values = {"url": tenant.url, "org": tenant.organization, "project": tenant.project, "token": tenant.token}
    (tmp_path / "build.cjs").write_text(BUILD.format(**values))
    done = subprocess.run(
        [program("node"), "build.cjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr, done.stderr

    releases = call(f"{tenant.project_url}/releases/", token=tenant.token).json()
    assert [(row["version"], row["dateReleased"] is not None) for row in releases] == [("plugin@1.0", True)]
    assert len(call(f"{tenant.project_url}/artifact-bundles/", token=tenant.token).json()) == 1
