"""Bodies of requests: multipart, their packings, chunks, envelopes."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator

import brotli
from gunicorn.http.body import ChunkedReader
from gunicorn.http.unreader import IterUnreader

from core.wire.coding import unpacked
from core.wire.errors import BodyBroken, BodyError
from core.wire.multipart import MultipartLimits, boundary_of, stream_parts
from core.wire.stream import BodyStream, Pace
from crashes.sentry.answers import BadReport
from crashes.sentry.envelope import open_envelope
from fuzz.seeds import corpus, files, shared
from fuzz.target import Shape, Target
from tests.core.multipart import Trickle, encoded, wire_request
from tests.crashes.sentry.sending import envelope, item

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_LIMITS = MultipartLimits(body=1 << 20, parts=50)
_PLAIN = b"What is packed here, " * 40
_MOST = 4 << 20
Parts = list[tuple[object, bytes]]


def _parts(data: bytes, most: int) -> Parts | type[Exception]:
    """What comes out where `most` bytes are read at a time; or the kind of error."""
    try:
        found = stream_parts(wire_request(Trickle(data, most, 1)), limits=_LIMITS)
        return [(part.head, b"".join(part)) for part in found]
    except BodyError as error:
        return type(error)


def _multipart(data: bytes) -> None:
    """However a body arrives, the same parts come of it, or the same kind of error."""
    whole = _parts(data, 1 << 20)
    assert _parts(data, 7) == whole
    if isinstance(whole, list):
        written = [(head, content) for head, content in whole]
        assert sum(len(content) for _, content in written) <= len(data)


def _content_type(data: bytes) -> None:
    boundary = boundary_of(data.decode("latin-1"))
    assert 0 < len(boundary) <= 200


def _head(data: bytes) -> None:
    """Whatever stands in the headers that Django reads by itself: the request is there, and its address is read."""
    kind, _, rest = data.decode("latin-1").partition("\n")
    query, _, cookies = rest.partition("\n")
    request = wire_request(b"a=%41", kind, QUERY_STRING=query, HTTP_COOKIE=cookies)
    dict(request.GET.lists())
    dict(request.COOKIES)
    request.accepts("text/html")


def _coding(name: str) -> Callable[[bytes], None]:
    """However a packed body arrives, the same bytes come of it, or it is broken."""

    def out(data: bytes, step: int) -> bytes | None:
        try:
            return b"".join(_bounded(unpacked((data[at : at + step] for at in range(0, len(data), step)), name)))
        except BodyBroken:
            return None

    def check(data: bytes) -> None:
        whole = out(data, 1 << 20)
        assert out(data, 5) == whole

    return check


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        assert len(piece) <= 256 * 1024
        size += len(piece)
        if size > _MOST:
            return
        yield piece


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def _envelope(data: bytes) -> None:
    """However an envelope arrives, the same items come of it, or the same refusal."""

    def read(step: int) -> object:
        try:
            opened = open_envelope(data[at : at + step] for at in range(0, len(data), step))
            return [(one.head.type, b"".join(one)) for one in opened.items()]
        except BadReport as error:
            return error.status, error.message

    assert read(3) == read(1 << 20)


def _chunked(data: bytes) -> None:
    """Chunks as the web server takes them apart: the stream over them ends, or says that the body is broken."""
    unreader = IterUnreader(iter([data[at : at + 50] for at in range(0, len(data), 50)]))
    reader = ChunkedReader(_Message(), unreader)
    stream = BodyStream(reader, declared=None, limit=1 << 20, pace=Pace(60, 60), connection=None)
    assert len(stream.read()) <= len(data)


class _Message:
    trailers: list[tuple[str, str]] = []
    limit_request_field_size = 8190
    limit_request_fields = 100

    def parse_headers(self, _data: bytes, from_trailer: bool = False) -> list[tuple[str, str]]:
        return []


_ENVELOPES = [
    envelope(item(b"{}", "event"), item(b"a\nb", "attachment", filename="a.txt"), item(b"x", "y", sized=False)),
    b'{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","dsn":"https://e@h/1"}\n{"type":"event","length":2}\n{}\n',
]
_FORMS = [
    encoded([("a", b"one"), ("b", b"\r\n--b0undar"), ("Content-Disposition: form-data; name=c; filename=d", b"")]),
    b"preamble\r\n" + encoded([("a", b"1" * 300)]),
    encoded([("a", b"1")]).removesuffix(b"--\r\n") + b"\r\n--\r\n",
]
_HEADS = (
    b"\r\n",
    b"--b0undary",
    b"--",
    b"Content-Disposition: form-data; ",
    b"name=",
    b'filename="',
    b"\r\n\r\n",
    b"--b0undary--",
)
_TYPES = [
    b"multipart/form-data; boundary=abc",
    b'multipart/form-data; charset=utf-8; boundary="a b"',
    b"multipart/form-data; boundary*0=a; boundary*1=b",
    b"multipart/form-data; BOUNDARY=x; boundary=y",
]

_CHARSETS = [b"text/plain; charset=" + name for name in (b"utf-8", b"latin-1", b"hex", b"idna", b"utf-7", b"x")]

TARGETS = (
    Target(
        "multipart",
        lambda: [*_FORMS, *files("multipart/*.bin"), *corpus("multipart")],
        _multipart,
        words=_HEADS,
        runs=150,
    ),
    Target(
        "content type", lambda: _TYPES, _content_type, (BodyError,), words=(b"boundary=", b";", b'"', b"*0=", b"%00")
    ),
    Target(
        "request head",
        lambda: [one + b"\na=%41&b=%c3\nc=d" for one in _TYPES + _CHARSETS],
        _head,
        words=(b"charset=", b"charset*=x'y'z", b";", b"*0*=", b"hex", b"base64", b"%00", b"&"),
        runs=400,
    ),
    Target(
        "gzip body",
        lambda: [gzip.compress(_PLAIN), gzip.compress(b"a") + gzip.compress(b"b") + bytes(9)],
        _coding("gzip"),
        runs=400,
    ),
    Target("deflate body", lambda: [zlib.compress(_PLAIN), _deflated(_PLAIN)], _coding("deflate"), runs=400),
    Target("brotli body", lambda: [brotli.compress(_PLAIN), brotli.compress(b"")], _coding("br"), runs=400),
    Target(
        "zstd body",
        lambda: [zstd.compress(_PLAIN), zstd.compress(b"a") + zstd.compress(b"b")],
        _coding("zstd"),
        runs=400,
    ),
    Target(
        "chunked body",
        lambda: [b"5\r\nhello\r\n0\r\n\r\n", b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"],
        _chunked,
        (BodyError,),
        words=(b"\r\n", b"0\r\n\r\n", b";", b"-5", b"0x5", b"ffffffffffffffff"),
    ),
    Target(
        "envelope",
        lambda: [*_ENVELOPES, *shared("peers/**/*envelope*"), *corpus("envelope")],
        _envelope,
        shape=Shape.LINES,
        words=(b'"length":', b'"type":', b"{}", b"-1", b"\n\n"),
        runs=500,
    ),
)
