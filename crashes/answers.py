"""Answers as clients of Backtrace know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from django.http import HttpResponse

from engine.errors import SymbolsvcError

# Browsers ask first when a page of another site sends JSON; answers must be readable by its scripts as well.
_CORS: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **_CORS,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "*, Content-Type, Content-Encoding, X-Submission-Bucket",
    "Access-Control-Max-Age": "86400",
}
ALLOWED: Final = "POST, OPTIONS"
INVALID_TOKEN: Final = 0x8001
WRONG_ADDRESS: Final = 0x8002
MALFORMED: Final = 0x8003
TOO_LARGE: Final = 0x8004
UNAVAILABLE: Final = 0x8005
TOO_MANY: Final = 0x8006


class Refusal(SymbolsvcError):
    """A request is refused: `status` is the answer's, `number` what its body has as `error.code`.

    `retry_after`: seconds until it is worth another try.
    """

    code = "refused"

    def __init__(self, status: int, number: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.number = number
        self.retry_after = retry_after


def invalid_token(message: str = "invalid token") -> Refusal:
    """403: the token is unknown, expired or revoked, or may not do this. Clients know one word for all of it."""
    return Refusal(403, INVALID_TOKEN, message)


def wrong_address(message: str) -> Refusal:
    """503, which is what an address with an unknown subdomain or format is answered with."""
    return Refusal(503, WRONG_ADDRESS, message)


def malformed(message: str) -> Refusal:
    """400."""
    return Refusal(400, MALFORMED, message)


def too_many(message: str, retry_after: int) -> Refusal:
    """429, which some libraries know. `retry_after`: seconds."""
    return Refusal(429, TOO_MANY, message, retry_after)


def accepted(rxid: str, more: Mapping[str, Any] | None = None) -> HttpResponse:
    """200: taken. Clients read `response` and `_rxid`; what else is in it is ours."""
    return _json(200, {"response": "ok", "_rxid": rxid, **(more or {})})


def refused(refusal: Refusal) -> HttpResponse:
    """The answer to a request that is refused."""
    answer = _json(refusal.status, {"error": {"code": refusal.number, "message": refusal.message}})
    if refusal.retry_after is not None:
        answer["Retry-After"] = str(refusal.retry_after)
    return answer


def nothing() -> HttpResponse:
    """200 for what is taken and not kept."""
    return _json(200, {})


def only_post() -> HttpResponse:
    """405."""
    answer = refused(Refusal(405, MALFORMED, "submissions are sent with POST"))
    answer["Allow"] = ALLOWED
    return answer


def preflight() -> HttpResponse:
    """What a browser asks before it sends."""
    return HttpResponse(status=204, headers=_PREFLIGHT)


def _json(status: int, body: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), content_type="application/json", status=status, headers=_CORS)


def refusal_of(error: SymbolsvcError) -> Refusal | None:
    """A failure of another room in the words of this one; None for what is a fault of ours."""
    if isinstance(error, Refusal):
        return error
    status = getattr(error, "status", None)
    if status is None:
        return None
    if status in (413, 431):
        return Refusal(413, TOO_LARGE, error.message)
    if status >= 500:
        return Refusal(503, UNAVAILABLE, error.message)
    return Refusal(408 if status == 408 else 400, MALFORMED, error.message)
