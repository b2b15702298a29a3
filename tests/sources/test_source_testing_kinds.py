"""The test of a source: buckets, stored sources and their secrets, and guessing layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.sourcetypes.config import Layout, LayoutType
from projects.models import AuditEntry
from sources.models import SymbolSource
from sources.testing import trial
from sources.testing.layouts import fits, guess_layout
from sources.testing.words import remedy
from tests.cast import make_project
from tests.engine.webserver import reply
from tests.sources.helpers import APPLE, GCS, HIDDEN, HTTP, S3
from tests.sources.trials import LEDGER, PASSWORD, PATH, STEPS, failed, http, statuses, text_of, tried
from tests.symbolication import symbolserver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]


class TestBuckets:
    @pytest.fixture
    def moto(self):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        url = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket="symbols")
        library = symbolserver.demo_files()[symbolserver.LEDGER]
        client.put_object(Bucket="symbols", Key=f"windows/{symbolserver.LEDGER}", Body=library)
        yield url
        server.stop()

    def bucket(self, url: str, **fields: Any) -> dict[str, Any]:
        return {**S3, "secret_key": PASSWORD, "region": ["local", url], "layout": {"type": "native"}, **fields}

    def test_a_bucket_that_works(self, api, moto):
        report = tried(api, {"source": self.bucket(moto), "file": LEDGER})
        assert (report["verdict"], report["layout"]) == ("ok", "native")
        assert statuses(report) == dict.fromkeys(STEPS, "ok") | {"tls": "skipped"}
        assert "1 file" in text_of(report, "list")

    def test_a_bucket_that_does_not_exist(self, api, moto):
        report = tried(api, self.bucket(moto, bucket="nothing"))
        assert report["verdict"] == "refused"
        assert "does not exist" in report["cause"]

    def test_an_unknown_access_key(self, api, server):
        server.default = reply("403 Forbidden", b"<Error><Code>InvalidAccessKeyId</Code></Error>")
        assert failed(tried(api, self.bucket(server.url))) == ["authenticate"]

    def test_the_right_to_list_is_missing(self, api, server):
        server.default = reply("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
        report = tried(api, self.bucket(server.url))
        assert failed(report) == ["list"]
        assert "s3:ListBucket" in report["remedy"]
        assert "cannot be told" in text_of(report, "read")

    def test_a_private_key_that_cannot_be_read(self, api, monkeypatch):
        # Google's servers are not asked: only what comes before them.
        monkeypatch.setattr(trial.Way, "resolve", lambda self: 1)
        monkeypatch.setattr(trial.Way, "connect", lambda self: None)
        monkeypatch.setattr(trial.Way, "handshake", lambda self: None)
        report = tried(api, GCS)
        assert report["verdict"] == "not_configured"
        assert "private key cannot be read" in report["cause"]


class TestStoredSources:
    def test_a_stored_source_is_tested_with_its_secret(self, api, sources, symbols):
        symbols.authorization = symbolserver.basic("reader", PASSWORD)
        sources.add(http(symbols.url, username="reader", password=PASSWORD))

        assert tried(api, {"file": LEDGER}, "?id=honk")["verdict"] == "ok"
        assert tried(api, {}, "?id=honk")["verdict"] == "ok"

    def test_a_kept_secret_goes_where_it_went_before(self, api, sources, symbols):
        symbols.authorization = symbolserver.basic("reader", PASSWORD)
        sources.add(http(symbols.url, username="reader", password=PASSWORD))
        changed = http(f"{symbols.url}below/", username="reader", password=HIDDEN)

        assert tried(api, changed, "?id=honk")["verdict"] == "ok"

    def test_and_nowhere_else(self, api, sources, symbols, server):
        sources.add(http(symbols.url, username="reader", password=PASSWORD))

        response = api.post(f"{PATH}?id=honk", http(server.url, username="reader", password=HIDDEN))

        assert response.status_code == 400
        assert "would be sent to another place" in response.json()["error"]
        assert not server.asked

    def test_a_hidden_secret_without_a_stored_source_is_refused(self, api, symbols):
        response = api.post(PATH, http(symbols.url, username="reader", password=HIDDEN))
        assert response.status_code == 400

    def test_of_another_project_it_is_unknown(self, api, acme, sources):
        sources.add(HTTP)
        make_project(acme, "other")
        response = api.post(PATH.replace("native-app", "other") + "?id=honk", {})
        assert response.status_code == 404

    def test_a_key_that_cannot_be_read_is_told_without_asking_anybody(self, api):
        report = tried(api, APPLE)
        assert report["verdict"] == "not_configured"
        assert statuses(report) == dict.fromkeys(STEPS, "skipped") | {"authenticate": "failed"}
        assert ".p8" in report["remedy"]

    def test_nothing_is_stored_and_nothing_audited(self, api, sources, symbols, settings, tmp_path: Path):
        settings.CACHE_DIR = tmp_path / "cache"
        sources.add(http(symbols.url))
        before = AuditEntry.objects.count()

        tried(api, {"source": http(symbols.url, id="new"), "file": LEDGER})
        tried(api, {"file": LEDGER}, "?id=honk")

        assert list(SymbolSource.objects.values_list("source_id", "revision")) == [("honk", 1)]
        assert AuditEntry.objects.count() == before
        assert not (tmp_path / "cache").exists()


class TestLayouts:
    def test_paths_of_every_layout_fit_it(self):
        from engine.lookup.file_types import DEBUG_FILES
        from engine.modules import DebugId, ModuleType, Wanted
        from engine.sourcetypes.config import Filters
        from engine.sourcetypes.filters import wanted_paths

        identity = DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1")
        for kind in (ModuleType.ELF, ModuleType.MACHO, ModuleType.PE):
            code_id = {"elf": "3988be7f44385cce25e399210deb9a5f57be012e", "pe": "5ab380779000"}.get(kind.value)
            wanted = Wanted(kind, code_id, "/x/crash.exe", identity, "/x/crash.pdb")
            for layout in LayoutType:
                paths = [path for _, path in wanted_paths(Filters(), Layout(type=layout), wanted, DEBUG_FILES[kind])]
                keyed = [path for path in paths if layout is not LayoutType.NATIVE or kind is not ModuleType.PE]
                assert all(fits(layout, path) or _windows(path) for path in keyed), (layout, keyed)
                if keyed and not any(_windows(path) for path in keyed):
                    assert guess_layout(keyed) is layout, (kind, layout, keyed)

    def test_of_what_fits_nothing_there_is_no_guess(self):
        assert guess_layout(["readme.txt", "a/b/c/d/e"]) is None
        assert guess_layout([]) is None


def _windows(path: str) -> bool:
    """Files that several layouts keep at the same place."""
    return path.endswith((".pdb", ".pd_", ".exe", ".ex_", ".sym"))


def test_every_step_has_a_remedy_for_every_failure():
    from engine.errors import FailureKind
    from sources.testing.steps import StepName

    assert all(remedy(step, kind).endswith(".") for step in StepName for kind in FailureKind)
