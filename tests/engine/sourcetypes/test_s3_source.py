"""Buckets of S3: a real S3 server (moto's) on loopback, and a server whose answers the test decides."""

from __future__ import annotations

import random

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.errors import FailureKind
from engine.outgoing import amazon, pieces
from engine.sourcetypes.base import FileType
from tests.engine.sourcetypes.asking import LIBRARY, PATH, configured, failure_of, fetch, opened, refused, unreachable
from tests.engine.sourcetypes.s3_sources import s3_source
from tests.engine.webserver import hang, raw, reply

DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture(scope="module")
def moto_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(moto_url):
    client = boto3.client(
        "s3", endpoint_url=moto_url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="symbols")
    return lambda key, body: client.put_object(Bucket="symbols", Key=key, Body=body)


def error(status, code):
    return reply(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>".encode())


def test_a_file_of_a_bucket_is_fetched(moto_url, bucket):
    bucket(PATH, b"content")
    source = s3_source(moto_url)

    assert fetch(source) == b"content"
    assert source.locate(LIBRARY, [FileType.ELF_CODE])[0][1].uri == "s3://symbols/ab/cdef"


@pytest.mark.parametrize("prefix", ["deep/down", "/deep/down/", "deep/down/"])
def test_the_prefix_goes_before_the_path(moto_url, bucket, prefix):
    bucket(f"deep/down/{PATH}", b"below")
    source = s3_source(moto_url, prefix=prefix)

    assert fetch(source) == b"below"
    assert source.locate(LIBRARY, [FileType.ELF_CODE])[0][1].uri == "s3://symbols/deep/down/ab/cdef"


def test_a_missing_key_and_a_missing_bucket_are_not_the_same(moto_url, bucket):
    assert failure_of(s3_source(moto_url, prefix="no")) == (FailureKind.NOT_FOUND, "")
    assert failure_of(s3_source(moto_url, bucket="nowhere")) == refused("404 Not Found (the bucket does not exist)")


def test_an_empty_object_is_an_empty_file(moto_url, bucket):
    bucket("empty/ab/cdef", b"")

    assert fetch(s3_source(moto_url, prefix="empty")) == b""


def test_a_big_object_comes_in_pieces(moto_url, bucket, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 100_000)
    content = random.Random(3).randbytes(1_000_001)
    bucket(f"big/{PATH}", content)

    assert fetch(s3_source(moto_url, prefix="big")) == content


def test_the_stored_encoding_is_not_undone_while_downloading(server):
    server.default = reply(body=b"not really gzip", Content_Encoding="gzip", ETag='"e"')

    assert fetch(s3_source(server.url)) == b"not really gzip"


def test_another_server_is_addressed_by_path_and_requests_are_signed(server):
    server.default = reply(body=b"x")

    fetch(s3_source(server.url, bucket="my.bucket"))

    [asked] = server.asked
    assert asked.target == "/my.bucket/ab/cdef"
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "secret-canary" not in str(asked)


def test_without_keys_requests_are_not_signed(server):
    server.default = reply(body=b"public")

    assert fetch(s3_source(server.url, access_key="", secret_key="")) == b"public"
    assert "authorization" not in server.asked[0].headers


def test_amazons_own_buckets_are_addressed_by_region():
    source = opened(type="s3", bucket="symbols", region="eu-west-3", access_key="a", secret_key="b")

    assert source._client()._endpoint.host == "https://s3.eu-west-3.amazonaws.com"
    assert source.host().name == "symbols.s3.eu-west-3.amazonaws.com"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("403 Forbidden", "InvalidAccessKeyId", refused("403 Forbidden (the access key is not known)")),
        (
            "403 Forbidden",
            "SignatureDoesNotMatch",
            refused("403 Forbidden (the secret key does not belong to the access key)"),
        ),
        (
            "403 Forbidden",
            "InvalidObjectState",
            refused("403 Forbidden (the file is archived and has to be restored first)"),
        ),
        ("400 Bad Request", "ExpiredToken", refused("400 Bad Request (the credentials have expired)")),
        ("400 Bad Request", "Canary", refused("400 Bad Request")),
        ("404 Not Found", "NoSuchKey", (FailureKind.NOT_FOUND, "")),
        ("404 Not Found", "NoSuchBucket", refused("404 Not Found (the bucket does not exist)")),
        ("500 Oops", "InternalError", unreachable("500 Internal Server Error")),
        ("503 Slow Down", "SlowDown", unreachable("503 Service Unavailable")),
        ("429 X", "TooManyRequests", unreachable("429 Too Many Requests")),
        ("302 Found", "Redirect", refused("302 Found (the endpoint sends elsewhere)")),
    ],
)
def test_errors_say_what_they_mean_and_not_what_the_server_wrote(server, status, code, expected):
    server.default = error(status, code)

    assert failure_of(s3_source(server.url, owner=code)) == expected


@pytest.mark.parametrize(
    ("region", "meaning"),
    [
        ("eu-west-3", "the bucket lies in the region eu-west-3"),
        ("<canary>", "the bucket lies in another region"),
        (None, "the bucket lies in another region"),
    ],
)
def test_a_bucket_in_another_region_is_named_and_not_followed(server, region, meaning):
    """The library would look for the bucket by itself, at every server it is sent to, without an end."""
    headers = {"x_amz_bucket_region": region} if region else {}
    body = b"<Error><Code>PermanentRedirect</Code><Endpoint>127.0.0.9</Endpoint></Error>"
    server.default = reply("301 Moved", body, Location=f"{server.url}/other", **headers)

    assert failure_of(s3_source(server.url)) == refused(f"301 Moved Permanently ({meaning})")
    assert server.paths == ["/symbols/ab/cdef"]


@pytest.mark.parametrize(
    ("listing", "meaning"),
    [
        (
            reply("403 Forbidden", DENIED.encode()),
            " (the credentials may not list the bucket, so a missing file cannot be told from a refused one)",
        ),
        (
            reply(body=b"<ListBucketResult><Name>symbols</Name></ListBucketResult>"),
            " (the credentials may list the bucket but not read this file)",
        ),
        (reply("500 X"), ""),
    ],
)
def test_a_refusal_says_whether_it_may_mean_a_missing_file(server, listing, meaning):
    server.routes["/symbols"] = listing
    server.default = reply("403 Forbidden", DENIED.encode())
    source = s3_source(server.url, owner=meaning)

    assert failure_of(source) == refused(f"403 Forbidden{meaning}")
    assert failure_of(source) == refused(f"403 Forbidden{meaning}")
    asked = [path for path in server.paths if path.startswith("/symbols?")]
    assert len(asked) == (1 if meaning else 2)
    assert "max-keys=1" in asked[0]


def test_a_server_that_recovers_within_three_tries_delivers(server):
    answers = iter(
        [error("500 X", "InternalError"), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"), reply(body=b"x")]
    )

    def act(asked, connection):
        next(answers)(asked, connection)

    server.default = act

    assert fetch(s3_source(server.url)) == b"x"
    assert len(server.asked) == 3


def test_a_short_body_is_no_file(server):
    server.default = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    assert failure_of(s3_source(server.url, owner="short")) == unreachable("the connection broke off")


@pytest.mark.parametrize("page", [b"<html>Welcome</html>", b"\xff\xfe", b""])
def test_an_error_page_that_is_not_s3s_is_judged_by_its_status(server, page):
    server.default = reply("404 Not Found", page)

    assert failure_of(s3_source(server.url, owner="pages")) == (FailureKind.NOT_FOUND, "")


def test_a_hanging_server_costs_no_more_than_the_deadline(server, monkeypatch):
    server.default = hang
    monkeypatch.setattr("engine.sourcetypes.tries.DOWNLOAD_SECONDS", 0.4)

    assert failure_of(s3_source(server.url, owner="hanging"))[0] is FailureKind.TIMED_OUT


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden"])
def test_a_body_that_drips_is_cut_off(server, monkeypatch, status):
    """Error pages too, which the library would read for as long as something comes."""
    server.default = raw(f"HTTP/1.1 {status}\r\nContent-Length: 500\r\n\r\n".encode(), *[b"x"] * 100, pause=0.05)
    monkeypatch.setattr("engine.sourcetypes.tries.DOWNLOAD_SECONDS", 0.4)

    assert failure_of(s3_source(server.url, owner=f"dripping {status}"))[0] is FailureKind.TIMED_OUT


def test_an_endless_error_page_is_not_kept_in_memory(server, monkeypatch):
    monkeypatch.setattr(amazon, "ANSWER_BYTES", 1000)
    server.default = reply("403 Forbidden", b"x" * 100_000)

    assert failure_of(s3_source(server.url, owner="endless"))[0] is FailureKind.TOO_LARGE


def test_a_bucket_whose_name_cannot_be_one_is_not_configured(server):
    assert failure_of(s3_source(server.url, bucket="../other"))[0] is FailureKind.NOT_CONFIGURED
    assert not server.asked


def test_clients_are_made_once_per_source_and_their_number_is_bounded(server, monkeypatch):
    monkeypatch.setattr(amazon, "KEPT_CLIENTS", 3)
    first = s3_source(server.url, owner="bounded")

    assert first._client() is s3_source(server.url, owner="bounded")._client()
    assert first._client() is not s3_source(server.url, owner="others")._client()
    for number in range(5):
        s3_source(server.url, owner=f"o{number}")._client()
    assert len(amazon._clients) == 3


def test_an_endpoint_without_a_scheme_is_a_mistake():
    with pytest.raises(Exception, match="region: must have an http or https URL"):
        configured(type="s3", bucket="b", region=["minio", "minio:9000"])
