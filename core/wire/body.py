"""Reading a request's body, whole.

Crash clients send chunked bodies, which Django alone takes for empty. `WireRequest` makes them readable for every view,
be it through `request.body`, `request.POST` or a parser of the REST framework, with bounds that hold for all of them.

A view takes larger bodies than the default by an attribute `body_limit` (bytes), or by reading with `read_body`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils.functional import cached_property
from django.utils.http import parse_header_parameters

from core.database import release
from core.wire.connection import BoundedSocket
from core.wire.errors import BodyBroken, BodyTooLarge
from core.wire.stream import BodyStream, Pace

LIMIT_ATTRIBUTE: Final = "body_limit"
# Those that forms are sent in. Python knows more under such names, among them ones that are no encodings of texts.
_CHARSETS: Final = frozenset(
    {"utf-8", "ascii", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252", "koi8-r", "big5", "gbk",
     "gb2312", "gb18030", "euc_jp", "euc_kr", "shift_jis"}
)  # fmt: skip
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class WireRequest(WSGIRequest):
    """A request whose body is readable with and without Content-Length, and bounded."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._begin(environ)

    def _begin(self, environ: dict[str, Any]) -> None:
        connection = environ.get("gunicorn.socket")
        self._waiting = connection if _expects_continue(environ) and isinstance(connection, BoundedSocket) else None
        declared = _declared_length(environ)
        if declared is not None:
            self.META["CONTENT_LENGTH"] = str(declared)
        self.body_stream = BodyStream(
            environ["wsgi.input"],
            declared=declared,
            limit=settings.API_BODY_MAX_BYTES,
            pace=Pace(idle=settings.BODY_IDLE_SECONDS, base=settings.BODY_MAX_SECONDS),
            connection=connection if isinstance(connection, BoundedSocket) else None,
            prepare=self._prepare_to_read,
        )
        self._stream = cast(BinaryIO, self.body_stream)
        self.limit_body(settings.API_BODY_MAX_BYTES)

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """As Django does, but whatever stands in the header there is a request: an error here would answer 500."""
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (TypeError, ValueError, LookupError):
            self.content_type, self.content_params = "", {}
            # Other readers of the header would stumble over it as well.
            meta["CONTENT_TYPE"] = ""
        charset = self.content_params.get("charset")
        if charset and _codec(charset) in _CHARSETS:
            self.encoding = charset

    @property
    def client_waits(self) -> bool:
        """Whether the client holds the body back until somebody wants it: after a refusal it never comes."""
        return self._waiting is not None

    def _prepare_to_read(self) -> None:
        # Whoever asked for the token holds a database connection; clients that drip would keep them all.
        release()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            try:
                waiting.sendall(_CONTINUE)
            except OSError as error:
                raise BodyBroken from error

    def limit_body(self, limit: int) -> None:
        """Set the largest body in bytes; no effect on what has been read already."""
        self.body_stream.limit = limit
        if self.body_stream.chunked:
            # Django's and the REST framework's parsers take a missing length for an empty body.
            self.META["CONTENT_LENGTH"] = str(limit)


def _codec(charset: str) -> str:
    try:
        return codecs.lookup(charset).name
    except (LookupError, ValueError):
        return ""


class BareRequest(WireRequest):
    """A POST to an address in ASCII, without what Django looks up for views that read forms and sessions.

    Its content type must name no charset but UTF-8. What is known of it: address, headers, query and body.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = self.META = environ
        self.path = self.path_info = environ["PATH_INFO"]
        self.method = "POST"
        self.resolver_match = None
        self._read_started = False
        self._begin(environ)

    @cached_property
    def content_type(self) -> str:  # type: ignore[override]
        """As Django has it."""
        return parse_header_parameters(self.META.get("CONTENT_TYPE", ""))[0]

    @cached_property
    def content_params(self) -> dict[str, str]:  # type: ignore[override]
        """As Django has them."""
        return parse_header_parameters(self.META.get("CONTENT_TYPE", ""))[1]


def _expects_continue(environ: dict[str, Any]) -> bool:
    """Other expectations are none of ours: a server that does not know one may pass over it."""
    expected = str(environ.get("HTTP_EXPECT", "")).strip().lower()
    return expected == "100-continue" and environ.get("SERVER_PROTOCOL") == "HTTP/1.1"


def _declared_length(environ: dict[str, Any]) -> int | None:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and environ.get("wsgi.input_terminated"):
        return None
    try:
        return max(int(environ.get("CONTENT_LENGTH") or 0), 0)
    except ValueError:
        return 0


def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """The whole body of `request` (Django's, or the REST framework's around it), of at most `limit` bytes.

    Raises BodyTooLarge, BodyTooSlow and BodyBroken; left alone they become the answers 413, 408 and 400.
    """
    inner = getattr(request, "_request", request)
    if isinstance(inner, WireRequest):
        inner.limit_body(limit)
    elif int(inner.META.get("CONTENT_LENGTH") or 0) > limit:
        raise BodyTooLarge(limit)
    try:
        body: bytes = inner.body
    except UnreadablePostError as error:
        raise BodyBroken from error
    if len(body) > limit:
        raise BodyTooLarge(limit)
    return body


def view_limit(view: Callable[..., Any]) -> int | None:
    """What a view's `body_limit` says, be the view a function or made from a class; None without one."""
    for holder in (view, getattr(view, "view_class", None), getattr(view, "cls", None)):
        limit = getattr(holder, LIMIT_ATTRIBUTE, None)
        if limit is not None:
            return int(limit)
    return None
