"""Who asks S3: the source's own keys, the container's for the operator, and never the environment of the process."""

from __future__ import annotations

import json

from engine.errors import FailureKind
from tests.engine.sourcetypes.asking import failure_of, fetch, opened
from tests.engine.sourcetypes.s3_sources import s3_source
from tests.engine.webserver import reply


def test_nothing_is_taken_from_the_environment(server, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[default]\nregion = us-west-2\nendpoint_url = http://127.0.0.9:1\n")
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = FILE\naws_secret_access_key = FILE\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "ENV")
    for name in (
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ):
        monkeypatch.setenv(name, "http://127.0.0.9:1")
    server.default = reply(body=b"x")

    assert fetch(s3_source(server.url, owner="environment")) == b"x"
    fetch(s3_source(server.url, owner="unsigned", access_key="", secret_key=""))
    amazons = opened(type="s3", bucket="symbols", region="eu-west-3", owner="environment")

    assert "Credential=AKID/" in server.asked[0].headers["authorization"]
    assert "/us-east-1/s3/" in server.asked[0].headers["authorization"]
    assert "authorization" not in server.asked[1].headers
    assert amazons._client()._endpoint.host == "https://s3.eu-west-3.amazonaws.com"


def test_the_operators_source_uses_the_containers_credentials(server, monkeypatch):
    given = {"AccessKeyId": "ROLE", "SecretAccessKey": "s", "Token": "session", "Expiration": "2099-01-01T00:00:00Z"}
    server.routes["/role"] = reply(body=json.dumps(given).encode())
    server.default = reply(body=b"x")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url.replace("127.0.0.1", "localhost") + "/role")

    assert fetch(s3_source(server.url, owner="builtin", aws_credentials_provider="container")) == b"x"
    assert "Credential=ROLE/" in server.asked[-1].headers["authorization"]
    assert server.asked[-1].headers["x-amz-security-token"] == "session"


def test_a_host_without_credentials_is_not_configured(server, monkeypatch):
    for name in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)

    kind, details = failure_of(s3_source(server.url, owner="builtin", aws_credentials_provider="container"))

    assert (kind, details) == (FailureKind.NOT_CONFIGURED, "the container's host offers no credentials")
    assert not server.asked
