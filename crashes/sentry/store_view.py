"""`POST /api/{project}/store/`: one event as JSON, from clients before envelopes, and from scripts."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from django.http import HttpRequest, HttpResponse

from core.blobs import blob_store
from core.wire.coding import unpacked
from core.wire.errors import BodyBroken, BodyTooLarge
from crashes.limits.rates import demand_turn
from crashes.receiving import raw_body
from crashes.sentry.admission import key_of, open_project
from crashes.sentry.answers import BadReport, answering, stored
from crashes.sentry.events import MOST_BYTES, read_event
from crashes.sentry.reporting import EVENT, store

_OBJECT: Final = b"{"


@answering
def take_event(request: HttpRequest, project_id: str) -> HttpResponse:
    """Store the event in the body."""
    key = key_of(request)
    project = open_project(key, int(project_id))
    rules = demand_turn(project=project, caller=f"key {key}")
    data = _read(request)
    facts = read_event(data)
    with blob_store().incoming(MOST_BYTES, sha1=False) as incoming:
        incoming.write(data)
        return stored(store(project=project, rules=rules, format_=EVENT, main=incoming, facts=facts))


def _read(request: HttpRequest) -> bytes:
    """The JSON in the body. Old clients pack it by zlib and write that as base64, without saying so."""
    data = bytearray()
    for piece in raw_body(request, MOST_BYTES):
        data += piece
        if len(data) > MOST_BYTES:
            raise BodyTooLarge(MOST_BYTES)
    if data.lstrip()[:1] == _OBJECT:
        return bytes(data)
    try:
        return _inflated(base64.b64decode(bytes(data), validate=True))
    except (binascii.Error, BodyBroken):
        raise BadReport("the event cannot be read: not valid JSON") from None


def _inflated(packed: bytes) -> bytes:
    found = bytearray()
    for piece in unpacked([packed], "deflate"):
        found += piece
        if len(found) > MOST_BYTES:
            raise BodyTooLarge(MOST_BYTES)
    return bytes(found)
