"""What is done on one host holds on all others with their next request. All their clocks are minutes apart."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.core.multipart import encoded
from tests.faults.crash_load import Client, dump
from tests.scaleout.cluster import Cluster, WebHost
from tests.service import eventually
from tests.symbolication import symbolserver
from tests.symbolication.http import Answer, call
from tests.symbolication.requests import is_resolved, ledger, stored_source
from tests.symbolication.symbolserver import LEDGER, SymbolServer, demo_files

READING = ["project:read", "event:read", "event:raw"]


def api(host: WebHost, client: Client, path: str, token: str) -> Answer:
    return call(f"{host.url}/api/0/projects/{client.organization}/web/{path}", token=token)


def processed(cluster: Cluster, client: Client, rxid: str) -> None:
    query = "SELECT state FROM crashes_crash WHERE rxid = %s"
    eventually(lambda: cluster.database.rows(query, rxid) == [("done",)], 60)


def ledger_file() -> bytes:
    """A debug file that the frame of `ledger()` gets its name from."""
    return demo_files()[LEDGER]


def led_out(cluster: Cluster, server: SymbolServer) -> str:
    """The address at which the hosts reach a symbol server of the test."""
    port = int(server.url.rstrip("/").rpartition(":")[2])
    return f"http://{cluster.front.address}:{cluster.network.lead_out(cluster.front, port)}/"


def test_the_clocks_of_the_hosts_differ_by_minutes(cluster: Cluster) -> None:
    now = datetime.now(UTC)
    told = [parsedate_to_datetime(call(f"{host.url}/livez").headers["Date"]) for host in cluster.webs]
    assert [round((moment - now).total_seconds() / 60) for moment in told] == [7, -4]


def test_a_crash_sent_to_one_host_is_processed_by_another_and_shown_by_a_third(cluster: Cluster) -> None:
    client = cluster.client_of(cluster.a)
    token = cluster.commander.token(client.organization, "web", READING)
    attached = b"what the program said last\n" * 100
    form = [('Content-Disposition: form-data; name="upload_file"; filename="a.dmp"', dump())]
    form += [('Content-Disposition: form-data; name="attachment_app.log"; filename="app.log"', attached)]
    request = urllib.request.Request(
        f"{cluster.a.url}/{client.organization}/{client.token}/minidump",
        encoded(form),
        {"Content-Type": "multipart/form-data; boundary=b0undary"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        rxid = re.search(rb'"_rxid": ?"([^"]+)"', answer.read())[1].decode()
    processed(cluster, client, rxid)

    assert api(cluster.b, client, f"crashes/{rxid}/raw/", token).body == dump()
    (listed,) = api(cluster.b, client, f"crashes/{rxid}/attachments/", token).json()
    assert api(cluster.b, client, f"crashes/{rxid}/attachments/{listed['id']}/", token).body == attached
    results = [api(host, client, f"crashes/{rxid}/result/", token) for host in cluster.webs]
    assert results[0].status == 200
    assert results[0].body == results[1].body
    # Nothing of it lies in a directory of either host.
    left = [path for host in cluster.webs for path in (host.data_dir / "blobs").rglob("*") if path.is_file()]
    assert left == []


def test_an_upload_to_one_host_takes_effect_in_the_next_request_of_the_other(cluster: Cluster) -> None:
    here, there = cluster.tenant()
    token = cluster.commander.token(here.organization, scopes=["project:releases", "project:write", "project:read"])
    for host in (here, there):
        assert not is_resolved(host.symbolicate(ledger()).json())

    sent = call(f"{here.project_url}/debug-files/?name=libledger.so", "POST", ledger_file(), token=token)
    assert sent.status in (200, 201), sent.body

    assert is_resolved(there.symbolicate(ledger()).json())
    assert is_resolved(here.symbolicate(ledger()).json())


def test_sources_and_purges_take_effect_on_the_other_host_at_once(cluster: Cluster) -> None:
    here, there = cluster.tenant()
    with symbolserver.running() as server:
        url = led_out(cluster, server)
        assert not is_resolved(there.symbolicate(ledger()).json())
        assert here.post(here.sources_url, stored_source(url)).status == 201
        assert is_resolved(there.symbolicate(ledger()).json())

        # Each host has a cache, filled by itself or from the bucket that they share.
        assert is_resolved(here.symbolicate(ledger()).json())
        server.files.clear()
        options = ("--org", here.organization, "--project", here.project)
        assert cluster.a.command("cache", "purge", *options).returncode == 0
        assert cluster.b.command("cache", "purge", *options).returncode == 0
        for host in (here, there):
            assert not is_resolved(host.symbolicate(ledger()).json())

        assert call(f"{here.sources_url}?id=builds", "DELETE", token=here.token).status == 204
        answer = there.symbolicate(ledger()).json()
    assert not is_resolved(answer)
    assert [one.get("source") for one in answer["modules"][0].get("candidates", [])] == []


def test_a_token_revoked_on_one_host_opens_nothing_on_the_other(cluster: Cluster) -> None:
    client = cluster.client_of(cluster.b)
    assert client.post(1) is not None
    admin = cluster.commander.token(client.organization, scopes=["org:admin"])
    tokens = f"{cluster.a.url}/api/0/organizations/{client.organization}/tokens/"
    (found,) = [one for one in call(tokens, token=admin).json() if one["prefix"] == client.token[:8]]

    assert call(f"{tokens}{found['id']}/", "DELETE", token=admin).status == 204

    with pytest.raises(AssertionError, match="403"):
        client.post(2)


def test_a_pending_request_is_asked_for_on_any_host(cluster: Cluster) -> None:
    here, there = cluster.tenant()
    with symbolserver.running() as server:
        here.post(here.sources_url, stored_source(led_out(cluster, server)))
        server.hang()
        told = here.symbolicate(ledger(), "?timeout=0").json()
        address = f"requests/{told['request_id']}"
        assert there.get(f"{there.url}/{address}?timeout=0").json()["status"] == "pending"
        server.release()
        seen = there.get(f"{there.url}/{address}?timeout=30").json()
        again = here.get(f"{here.url}/{address}?timeout=30").json()
    assert seen["status"] == "completed"
    assert is_resolved(seen)
    assert again == seen


def test_the_steps_of_one_upload_may_go_to_different_hosts(cluster: Cluster) -> None:
    """Breakpad's protocol with a signed ticket; the host that takes the file has an earlier time than the other."""
    client = cluster.client_of(cluster.a)
    token = cluster.commander.token(client.organization, "web", ["symbol:post"])
    symbols = (
        b"MODULE Linux x86_64 7B3F6E0C0F6B4D7E9A8C1D2E3F4A5B6C0 app\nFUNC 1000 20 0 main\n1000 20 1 1\nFILE 1 a.c\n"
    )
    made = call(f"{cluster.a.url}/v1/uploads:create?key={token}", "POST", b"").json()
    put = made["uploadUrl"].partition("/v1/")[2]
    assert call(f"{cluster.b.url}/v1/{put}", "PUT", symbols).status == 200
    told = b'{ symbol_id: { debug_file: "app", debug_id: "7B3F6E0C0F6B4D7E9A8C1D2E3F4A5B6C0" } }'
    done = call(f"{cluster.a.url}/v1/uploads/{made['uploadKey']}:complete?key={token}", "POST", told)
    assert done.json() == {"result": "OK"}


def test_chunks_sent_to_one_host_are_assembled_by_another(cluster: Cluster) -> None:
    here, there = cluster.tenant()
    token = cluster.commander.token(here.organization, scopes=["org:ci"])
    content = ledger_file() + uuid4().bytes
    half = len(content) // 2
    chunks = {hashlib.sha1(part).hexdigest(): part for part in (content[:half], content[half:])}
    for host, (name, part) in zip((here, there), chunks.items(), strict=True):
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"'
        sent = post_form(f"{host.url}/api/0/organizations/{host.organization}/chunk-upload/", [(head, part)], token)
        assert sent == 200
    wanted = {hashlib.sha1(content).hexdigest(): {"name": "libledger.so", "chunks": list(chunks)}}
    answer = call(f"{there.project_url}/files/difs/assemble/", "POST", wanted, token=token).json()
    assert [one["state"] for one in answer.values()] == ["ok"], answer
    assert is_resolved(here.symbolicate(ledger()).json())


def post_form(url: str, parts: list[tuple[str, bytes]], token: str) -> int:
    headers = {"Content-Type": "multipart/form-data; boundary=b0undary", "Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url, encoded(parts), headers), timeout=30) as answer:
        return int(answer.status)


class Browser:
    """Cookies, kept as for one site, whichever host answers."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def open(self, url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, address led to, and the page."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        said = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = urllib.request.Request(url, data, {"Cookie": said, "Host": "symbols.test"})
        try:
            answer: Any = urllib.request.build_opener(_Stay).open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        for line in answer.headers.get_all("Set-Cookie", ()):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def token_in(page: str) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]


def test_who_signed_in_on_one_host_is_signed_in_on_all(cluster: Cluster) -> None:
    email = f"{uuid4().hex[:8]}@acme.example"
    password = cluster.commander.bootstrap(admin=email)["admin"]["password"]
    browser = Browser()
    _, _, page = browser.open(f"{cluster.a.url}/login/")
    form = {"username": email, "password": password, "csrfmiddlewaretoken": token_in(page)}
    # The form of one host is sent to the other.
    status, location, _ = browser.open(f"{cluster.b.url}/login/", form)
    assert (status, location) == (302, "/")
    led_to = {browser.open(f"{host.url}/")[1] for host in cluster.webs}
    assert len(led_to) == 1
    (home,) = led_to
    assert home.startswith("/organizations/")
    pages = [browser.open(f"{host.url}{home}") for host in cluster.webs]
    assert [status for status, _, _ in pages] == [200, 200]
    assert browser.open(f"{cluster.a.url}/logout/", {"csrfmiddlewaretoken": token_in(pages[1][2])})[0] in (302, 303)
    assert browser.open(f"{cluster.b.url}{home}")[1].startswith("/login/")


def test_a_host_with_a_store_of_its_own_does_not_start_and_says_why(cluster: Cluster) -> None:
    _, env = cluster.settings("stray", BLOB_STORE="", SECRET_KEYS="")
    stray = WebHost(cluster.directory / "stray", env, prefix=cluster.a.prefix, where=cluster.a.where)
    refused = stray.command("up", "--host", cluster.a.where.address, "--port", "8001", "--without-jobs")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "BLOB_STORE: this is not the store of the database's files" in refused.stderr
    assert "SECRET_KEYS: the key of this installation's secrets is not among them" in refused.stderr
    checked = cluster.a.command("check", "--database", "default")
    assert checked.returncode == 0, checked.stderr


def test_hosts_of_the_version_before_go_on_beside_newer_tables(cluster: Cluster) -> None:
    client = cluster.client_of(cluster.a)
    cluster.database.write(
        "ALTER TABLE crashes_crash ADD COLUMN of_the_next_version integer NULL",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('crashes', '9999_next', now())",
    )
    try:
        rxids = [
            Client(host, client.organization, client.token).post(number) for number, host in enumerate(cluster.webs)
        ]
        for rxid in rxids:
            assert rxid is not None
            processed(cluster, client, rxid)
        assert [call(f"{host.url}/readyz").status for host in cluster.webs] == [200, 200]
    finally:
        cluster.database.write(
            "ALTER TABLE crashes_crash DROP COLUMN of_the_next_version",
            "DELETE FROM django_migrations WHERE name = '9999_next'",
        )
