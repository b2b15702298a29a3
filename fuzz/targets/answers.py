"""Answers of other servers: lists of buckets, of debug files, of artifacts, and the index of a symbol server."""

from __future__ import annotations

import json

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError, create_parser
from botocore.session import Session

from engine.errors import LookupFailure
from engine.formats.bytewise import FormatError
from engine.formats.symstore_index import LAST_ID_PATH
from engine.javascript.listings import parse_answer
from engine.outgoing import Deadline, PartRefused
from engine.sourcetypes.index import _Index
from engine.sourcetypes.listing import _Objects
from engine.sourcetypes.s3.answers import judge_error
from engine.sourcetypes.sentry.listing import parse_listing
from fuzz.seeds import corpus
from fuzz.target import Shape, Target

_MOST_INDEX = 200
_S3_ERROR = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-1</Region></Error>"""
_S3_CODES = (
    b"NoSuchKey",
    b"AccessDenied",
    b"PermanentRedirect",
    b"SlowDown",
    b"</Code>",
    b"<Code>",
    b"&amp;",
    b"<![CDATA[",
)
_FILES = [{"id": "12", "symbolType": "elf", "debugId": "x"}, {"id": "a", "symbolType": "unknown"}]
_ARTIFACTS = [
    {"type": "bundle", "id": "1", "url": "https://h/1", "resolved_with": "debug-id"},
    {"type": "file", "id": "2", "url": "http://h/2", "abs_path": "~/a.js", "headers": {"Sourcemap": "a.map"}},
]


def _objects(data: bytes) -> None:
    found = msgspec.json.decode(data, type=_Objects)
    assert all(isinstance(entry.name, str) for entry in found.items)


def _files(data: bytes) -> None:
    assert all(file.id and file.file_types for file in parse_listing(data))


def _artifacts(data: bytes) -> None:
    assert all(listed.url.lower().startswith(("http://", "https://")) for listed in parse_answer(data))


def _index(data: bytes) -> None:
    """The first line is `lastid.txt`, the rest each transaction; whatever it lists is found again."""
    last, _, transaction = data.partition(b"\n")
    if last.strip().isdigit() and int(last) > _MOST_INDEX:
        return

    def read(path: str, most: int, _deadline: Deadline) -> bytes:
        return last if path == LAST_ID_PATH else transaction[:most]

    index = _Index()
    index.refresh(read, Deadline.after(600))
    assert "a.pdb/../x" not in index


def _error(data: bytes) -> None:
    """What a server says of a failure, as the library reads it, becomes one of our failures, in our words."""
    status, _, body = data.partition(b"\n")
    code = int(status) if status.isdigit() and 300 <= int(status) < 600 else 403
    shape = _service().operation_model("GetObject").output_shape
    parsed = create_parser("rest-xml").parse({"body": body, "headers": {}, "status_code": code}, shape)
    for of_part in (False, True):
        judged = judge_error(ClientError(parsed, "GetObject"), of_part=of_part)
        assert isinstance(judged, LookupFailure | PartRefused)
        assert str(judged).isprintable()


def _service():  # noqa: ANN202 - a class of the library without a public name
    return _session.get_service_model("s3")


_session = Session()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


TARGETS = (
    Target("gcs list", lambda: [_json({"items": [{"name": "a/b"}, {"name": "c", "size": "1"}]}), b"{}"], _objects,
           (msgspec.DecodeError, UnicodeDecodeError, RecursionError), shape=Shape.JSON, words=(b"items", b"name")),
    Target("sentry list", lambda: [_json(_FILES)], _files, (LookupFailure,), shape=Shape.JSON,
           words=(b"id", b"symbolType", b"elf", b"pdb", b"\n")),
    Target("artifact list", lambda: [_json(_ARTIFACTS), *corpus("artifact list")], _artifacts, (LookupFailure,),
           shape=Shape.JSON, words=(b"type", b"bundle", b"file", b"url", b"http://[", b"http://h:99999", b"headers"),
           runs=400),
    Target("symbol server index", lambda: [b'0000000003\n"a.pdb\\1A","C:\\a.pdb"\r\n"b\\2"\n'], _index,
           (FormatError, LookupFailure), words=(b'"', b"\\", b"\r\n", b'"a\\b"', b"10000")),
    Target("s3 error", lambda: [b"403\n" + _S3_ERROR, b"404\n", b"500\nno xml"], _error,
           (ResponseParserError, BotoCoreError), words=_S3_CODES, runs=300),
)  # fmt: skip
