"""Reading the configuration of sources."""

from __future__ import annotations

import json

import msgspec
import pytest

from engine.sourcetypes.base import FileType
from engine.sourcetypes.config import (
    BadSource,
    Casing,
    FilesystemConfig,
    GcsConfig,
    HttpConfig,
    LayoutType,
    S3Config,
    SentryConfig,
    decode_sources,
)

CANARY = "canary-3f9c"
HTTP = {"id": "web", "type": "http", "url": "https://symbols.example/x"}


def test_every_type_is_read():
    read = decode_sources(
        [
            HTTP
            | {
                "headers": {"Authorization": "Basic x"},
                "layout": {"type": "ssqp", "casing": "lowercase"},
                "filters": {"filetypes": ["pe", "pdb"], "path_patterns": ["?:/windows/*"], "requires_checksum": True},
                "is_public": True,
            },
            {"id": "s3", "type": "s3", "bucket": "b", "region": ["ceph", "http://ceph/"], "access_key": "a"},
            {"id": "gcs", "type": "gcs", "bucket": "b", "private_key": "k", "client_email": "e"},
            {"id": "sentry:project", "type": "sentry", "url": "https://sentry.example/", "token": "t"},
            {"id": "dir", "type": "filesystem", "path": "/srv/symbols"},
        ],
        operator=True,
    )

    assert [type(config) for config in read] == [HttpConfig, S3Config, GcsConfig, SentryConfig, FilesystemConfig]
    web, bucket = read[0], read[1]
    assert isinstance(web, HttpConfig)
    assert isinstance(bucket, S3Config)
    assert (web.layout.type, web.layout.casing) == (LayoutType.SSQP, Casing.LOWERCASE)
    assert web.filters.filetypes == (FileType.PE, FileType.PDB)
    assert bucket.region == ("ceph", "http://ceph/")


def test_the_forms_that_hold_json_are_all_read():
    text = json.dumps([HTTP]).encode()

    assert decode_sources(text, operator=False) == decode_sources(msgspec.Raw(text), operator=False)
    assert decode_sources(text, operator=False) == decode_sources([HTTP], operator=False)


def test_null_counts_as_absent_and_unknown_fields_are_ignored():
    read = decode_sources(
        [HTTP | {"headers": None, "layout": {"type": None, "casing": None, "x": 1}, "filters": None, "future": [1]}],
        operator=False,
    )

    assert read == decode_sources([HTTP], operator=False)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"id": "x"}, "sources[0].type"),
        ({"type": "http", "url": "http://x"}, "sources[0].id"),
        ({"id": "x", "type": CANARY}, "sources[0].type"),
        ({"id": "x", "type": "http"}, "sources[0].url"),
        (HTTP | {"url": CANARY}, "sources[0].url"),
        (HTTP | {"url": f"ftp://{CANARY}/"}, "sources[0].url"),
        (HTTP | {"url": f"http://{CANARY}:port/"}, "sources[0].url"),
        (HTTP | {"url": f"http://[{CANARY}/"}, "sources[0].url"),
        (HTTP | {"url": 5}, "sources[0].url"),
        (HTTP | {"layout": {"type": CANARY}}, "sources[0].layout.type"),
        (HTTP | {"layout": {"casing": f"{CANARY}\"'"}}, "sources[0].layout.casing"),
        (HTTP | {"filters": {"filetypes": ["pe", CANARY]}}, "sources[0].filters.filetypes[1]"),
        (HTTP | {"filters": {"path_patterns": ["ok", f"{CANARY}**"]}}, "sources[0].filters.path_patterns[1]"),
        (HTTP | {"headers": {"X": f"{CANARY}\r\nHost: evil"}}, "sources[0].headers"),
        (HTTP | {"headers": {f"{CANARY}: x": "y"}}, "sources[0].headers"),
        (HTTP | {"headers": {CANARY: 5}}, "sources[0].headers[...]"),
        ({"id": "x", "type": "s3", "bucket": "b", "region": [CANARY]}, "sources[0].region"),
        (
            {"id": "x", "type": "s3", "bucket": "b", "aws_credentials_provider": CANARY},
            "sources[0].aws_credentials_provider",
        ),
    ],
)
def test_a_mistake_is_named_by_its_field_and_never_by_its_value(source, path):
    with pytest.raises(BadSource) as caught:
        decode_sources([source], operator=True)

    assert caught.value.path == path or "missing" in caught.value.message
    assert caught.value.message.startswith("sources[0]")
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    "raw", [b"", b"[", b"\xff", b"[" * 100_000, b'{"a": 1}', b"5", b'"x"', b"[5]", b"[[]]", b"null"]
)
def test_what_is_no_list_of_sources_is_reported(raw):
    with pytest.raises(BadSource):
        decode_sources(raw, operator=True)


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ({"id": "x", "type": "filesystem", "path": "/"}, "type"),
        ({"id": "x", "type": "s3", "bucket": "b", "aws_credentials_provider": "container"}, "aws_credentials_provider"),
        (HTTP | {"accept_invalid_certs": True}, "accept_invalid_certs"),
    ],
)
def test_what_is_the_operators_is_refused_to_others(source, field):
    assert decode_sources([source], operator=True)
    with pytest.raises(BadSource) as caught:
        decode_sources([HTTP, source], operator=False)
    assert caught.value.path == f"sources[1].{field}"


def test_a_source_shows_none_of_its_secrets():
    read = decode_sources(
        [
            HTTP | {"url": f"https://user:{CANARY}@x/?sig={CANARY}", "headers": {"Authorization": CANARY}},
            {"id": "s3", "type": "s3", "bucket": "b", "secret_key": CANARY},
            {"id": "gcs", "type": "gcs", "bucket": "b", "private_key": CANARY, "bearer_token": CANARY},
            {"id": "s", "type": "sentry", "url": "https://x/", "token": CANARY},
        ],
        operator=False,
    )

    assert CANARY not in repr(read)
    assert CANARY not in str(read)
