"""From a dump without symbols to names, by itself, on the running service."""

from __future__ import annotations

import subprocess

from tests.crashes.conftest import Place
from tests.engine.run.gdb_frames import OWN
from tests.engine.run.gdb_frames import own_files as files_of
from tests.engine.run.reports import unpacked
from tests.engine.run.serving import FIXTURES
from tests.needed import program
from tests.service import Service, eventually
from tests.symbolication.http import call

SCOPES = ["error:post", "symbol:post", "event:read"]


def test_a_crash_is_named_by_itself_once_its_files_are_uploaded(service: Service, place: Place, tmp_path):
    tenant = place.tenant
    token = service.token(tenant.organization, tenant.project, scopes=SCOPES)
    crashes = f"{tenant.project_url}/crashes/"

    def submit(name: str) -> str:
        dump = unpacked(FIXTURES / f"crash/{name}.dmp.xz")
        sent = call(f"{tenant.url}/{tenant.organization}/{token}/minidump", "POST", dump)
        assert sent.status == 200, sent.body
        return f"{crashes}{sent.json()['_rxid']}/"

    def seen(url: str) -> dict:
        return call(url, token=token).json()

    def done(url: str) -> dict | None:
        crash = seen(url)
        return crash if crash["state"] == "done" else None

    def named(url: str) -> bool:
        threads = seen(f"{url}result/")["threads"]
        (frames,) = [thread["frames"] for thread in threads if thread.get("crashed")]
        own = [one for one in frames if (one.get("package") or "").rpartition("/")[2] in OWN]
        assert own
        return all(one.get("filename") for one in own)

    lacking, other = submit("segv-worker-nofp"), submit("segv-worker-dw4")
    before = [eventually(lambda url=url: done(url), 60) for url in (lacking, other)]
    assert not named(lacking)
    wanted = {row["name"].rpartition("/")[2] for row in seen(f"{crashes}lacking/")}
    assert wanted >= OWN

    for name, data in files_of("segv-worker-nofp").items():
        (tmp_path / name).write_bytes(data)
    sent = [part for name in files_of("segv-worker-nofp") for part in ("-F", f"upload_file=@{tmp_path / name}")]
    address = f"{tenant.url}/{tenant.organization}/{token}/symbols"
    subprocess.run([program("curl"), "-sSf", *sent, address], check=True, capture_output=True, timeout=60)

    eventually(lambda: done(lacking) and named(lacking), 60)
    after = [eventually(lambda url=url: done(url), 60) for url in (lacking, other)]
    assert after[0]["dateProcessed"] > before[0]["dateProcessed"]
    assert after[1]["dateProcessed"] == before[1]["dateProcessed"]
    assert not named(other)
    (run, *_) = seen(f"{crashes}reruns/")
    assert run["reason"].endswith("was uploaded")
