"""The operator's shared cache: from the setting to a bucket."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.caches.shelters import GcsShelter, S3Shelter
from engine.outgoing import Deadline
from engine.sourcetypes.config import BadSource
from sources.sharing import shared_cache
from symbolication.checks import check_shared_cache

BUCKET = {
    "type": "s3",
    "bucket": "symbol-cache",
    "region": "us-east-1",
    "access_key": "k",
    "secret_key": "canary-secret",
}


def test_without_the_setting_there_is_none(tmp_path):
    assert shared_cache("", tmp_path) is None


def test_a_file_put_by_one_host_is_had_by_another(tmp_path):
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        region = ["us-east-1", f"http://{host}:{port}"]
        client = boto3.client(
            "s3", "us-east-1", endpoint_url=region[1], aws_access_key_id="k", aws_secret_access_key="s"
        )
        client.create_bucket(Bucket="symbol-cache")
        text = json.dumps(BUCKET | {"region": region, "prefix": "/cache/"})
        one, other = shared_cache(text, tmp_path / "one"), shared_cache(text, tmp_path / "other")
        one.shelter.put("objects/1/aa", io.BytesIO(b"data"), 4, Deadline.after(20))
        target = io.BytesIO()
        other.shelter.get("objects/1/aa", target, Deadline.after(20))
        listed = client.list_objects_v2(Bucket="symbol-cache")["Contents"]
    finally:
        server.stop()
    assert target.getvalue() == b"data"
    assert [item["Key"] for item in listed] == ["cache/objects/1/aa"]


def test_buckets_of_both_kinds_are_understood_and_keep_their_secrets_to_themselves(tmp_path):
    amazon = shared_cache(json.dumps(BUCKET), tmp_path)
    google = shared_cache('{"type": "gcs", "bucket": "symbol-cache", "bearer_token": "canary-secret"}', tmp_path)
    assert isinstance(amazon.shelter, S3Shelter)
    assert isinstance(google.shelter, GcsShelter)
    assert "canary-secret" not in repr(amazon) + repr(google)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"type": "http", "url": "https://canary-secret.example/"}',
        '{"type": "s3", "secret_key": "canary-secret"}',
        '{"type": "s3", "bucket": 5, "secret_key": "canary-secret"}',
    ],
)
def test_what_describes_no_bucket_is_told_before_the_start_and_without_its_value(text, tmp_path, settings):
    with pytest.raises(BadSource):
        shared_cache(text, tmp_path)
    settings.ENVIRONMENT = settings.ENVIRONMENT | {"SHARED_CACHE": text}
    (problem,) = check_shared_cache(None)
    assert problem.id == "symbolication.E003"
    assert "canary-secret" not in problem.msg
