"""A request in flight: its place, its work, and the answer or the promise of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from core.database import release
from debugfiles.composing import Asker
from symbolication import runtime
from symbolication.jobs import Ticket, Work, compute
from symbolication.query import Query, read_query
from symbolication.rejections import JSON, TOO_MANY, Refused
from symbolication.sweeping import sweep_now_and_then

RETRY_AFTER_SECONDS: Final = 30


def query_of(request: Request | HttpRequest) -> Query:
    """The parameters of the request. Raises Rejected (400)."""
    return read_query(request.META.get("QUERY_STRING", ""))


def answered(query: Query, asker: Asker, prepare: Callable[[], Work]) -> HttpResponse:
    """What comes of the work that `prepare` makes of the body, once the request has its place.

    Raises Refused (503) without a place, and what `prepare` raises.
    """
    ticket = runtime.take_ticket()
    if ticket is None:
        raise Refused(503, TOO_MANY)
    try:
        work = prepare()
    except BaseException:
        ticket.close()
        raise
    release()
    if query.timeout is None:
        return json_answer(compute(ticket, work))
    return json_answer(_within(ticket, asker, work, query.timeout))


def pending(request_id: UUID) -> bytes:
    """The answer while there is none."""
    return orjson.dumps({"status": "pending", "request_id": str(request_id), "retry_after": RETRY_AFTER_SECONDS})


def json_answer(body: bytes) -> HttpResponse:
    """An answer that is ready."""
    return HttpResponse(body, content_type=JSON)


def _within(ticket: Ticket, asker: Asker, work: Work, seconds: int) -> bytes:
    """The answer if it comes within so many seconds, else the pending one."""
    job = runtime.jobs().start(ticket, asker.organization_id, work)
    # The computation has an end of its own; a greater number would overflow the clock.
    answer = job.wait(min(seconds, ticket.deadline.remaining() + 60))
    if answer is None:
        answer = job.publish()
        sweep_now_and_then()
    return pending(job.id) if answer is None else answer
