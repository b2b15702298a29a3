"""The addresses of the object and query API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from core.text import storable
from crashes.answers import MALFORMED, Refusal, malformed, refused
from crashes.models import Attachment, Crash
from crashes.query import bodies, describing, objects, sending
from crashes.query.asking import ask
from crashes.query.entering import Reader, enter
from crashes.query.folding import fold
from crashes.query.running import limited
from crashes.query.selecting import select
from crashes.router import answering

GET: Final = "object:get"
QUERY: Final = "query:post"
RAW: Final = "event:raw"
_EITHER: Final = frozenset({GET, QUERY})
_VERSION: Final = "1.2.0"
_EXTENSIONS: Final[Mapping[str, str]] = {"minidump": "dmp", "plcrash": "plcrash", "btt": "btt"}
_BY_ID: Final = re.compile("_attachment-([0-9]{1,18})")

View = Callable[..., HttpResponseBase]


def _asked(*methods: str) -> Callable[[Callable[[HttpRequest, dict[str, str]], HttpResponseBase]], View]:
    """A view of an address that is asked with these methods; it gets the parameters of the address."""

    def decorate(view: Callable[[HttpRequest, dict[str, str]], HttpResponseBase]) -> View:
        @wraps(view)
        def asked(request: HttpRequest) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return HttpResponse(status=204, headers=sending.PREFLIGHT)
            if request.method not in methods:
                answer = refused(Refusal(405, MALFORMED, f"this address is asked with {' or '.join(methods)}"))
                answer["Allow"] = ", ".join((*methods, "OPTIONS"))
                return answer
            # The last of several values counts; a text that the database cannot hold is none that it has.
            return view(request, {name: storable(str(value)) for name, value in request.GET.items()})

        made: View = answering(asked)  # type: ignore[arg-type]
        made.body_limit = bodies.BODY_BYTES  # type: ignore[attr-defined]
        return made

    return decorate


@_asked("GET")
def get(request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    """A crash: its result with `object:get`; what came in, byte for byte, with `event:raw` besides."""
    reader = enter(request, values, any_of=[GET])
    crash = objects.find(reader.opened, values.get("object", ""))
    resource = values.get("resource", "json.gz")
    if "attachment_id" in values or "attachment_name" in values:
        return _attachment(reader, crash, values.get("attachment_id", ""), values.get("attachment_name", ""))
    if resource in ("json", "json.gz"):
        name = f"{crash.object_id}.{resource}"
        return sending.content(
            objects.as_json(crash), name, packed=resource == "json.gz", content_type="application/json"
        )
    if resource in ("txt", "txt.gz"):
        name = f"{crash.object_id}.{resource}"
        text = objects.as_text(crash)
        return sending.content(text, name, packed=resource == "txt.gz", content_type="text/plain; charset=utf-8")
    if resource == "raw":
        reader.demand(RAW)
        extension = _EXTENSIONS.get(crash.format, "json")
        return sending.blob(crash.blob_key, crash.size, f"{crash.object_id}.{extension}")
    by_id = _BY_ID.fullmatch(resource)
    return _attachment(reader, crash, by_id[1] if by_id else "", "" if by_id else resource)


def _attachment(reader: Reader, crash: Crash, id_: str, name: str) -> HttpResponseBase:
    """Of several with one name the first."""
    reader.demand(RAW)
    found: Attachment | None = None
    if id_:
        found = crash.attachments.filter(pk=int(id_)).first() if re.fullmatch("[0-9]{1,18}", id_) else None
    elif name:
        found = crash.attachments.filter(name=name).order_by("pk").first()
    if found is None:
        raise objects.missing("resource: the crash has no such attachment")
    return sending.blob(found.blob_key, found.size, found.filename or found.name)


@_asked("GET")
def list_(request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    """The attachments of a crash."""
    reader = enter(request, values, any_of=[GET])
    if values.get("view", "attachments") != "attachments":
        raise malformed("view: attachments can be listed, and nothing else")
    crash = objects.find(reader.opened, values.get("object", ""))
    return sending.json({"attachments": [_listed(row) for row in crash.attachments.order_by("pk")]})


def _listed(row: Attachment) -> dict[str, Any]:
    return {
        "id": format(row.pk, "d"),
        "name": row.name,
        "size": row.size,
        "content_type": row.content_type,
        "inline": row.inline,
    }


@_asked("POST")
def query(request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    """A question about many crashes, or (`action=describe`) what can be asked about them."""
    body = bodies.read(request)
    reader = enter(request, _with_token(values, body), any_of=[QUERY])
    project = reader.opened
    action = values.get("action", "query")
    if action == "describe":
        return sending.json({"describe": describing.attributes_of(project)})
    if action != "query":
        raise malformed("action: query and describe are known")
    wanted = bodies.decode(body)
    with limited():
        asked = ask(project, wanted)
        found = fold(asked) if wanted.fold is not None else select(asked)
    pagination = {"offset": wanted.offset, "limit": wanted.limit}
    response = {"version": _VERSION, "encoding": "rle", **found, "pagination": pagination}
    return sending.json({"response": response, "error": None, "_": {"project": project.slug}})


@_asked("POST")
def login(request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    """Whether a token is good. There are no names and passwords here."""
    body = bodies.read(request)
    return sending.json(describing.signed_in(enter(request, _with_token(values, body), any_of=_EITHER)))


@_asked("GET", "POST")
def config(request: HttpRequest, values: dict[str, str]) -> HttpResponseBase:
    """The organization of a token and its projects."""
    return sending.json(describing.configuration(enter(request, values, any_of=_EITHER)))


class _Named(msgspec.Struct):
    token: str = ""
    universe: str = ""
    project: str = ""


def _with_token(values: dict[str, str], body: bytes) -> dict[str, str]:
    """What the address says, or else the body. Both may name the token; what is wrong with a body is said later."""
    try:
        named = msgspec.json.decode(body or b"{}", type=_Named)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return values
    given = {"token": named.token, "universe": named.universe, "project": named.project}
    return {name: storable(value) for name, value in given.items() if value} | values
