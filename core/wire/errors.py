"""What can go wrong while a request's body is read, and the answers to it."""

from __future__ import annotations

from django.http import JsonResponse

from engine.errors import SymbolsvcError


class BodyError(SymbolsvcError):
    """A body that could not be read. `status` is the answer's, after which the connection is closed."""

    code = "body"
    status = 400


class BodyTooLarge(BodyError):
    """The body is larger than the endpoint allows."""

    code = "body_too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")


class BodyTooSlow(BodyError):
    """The client sent nothing for too long, or too little over all."""

    code = "body_too_slow"
    status = 408

    def __init__(self) -> None:
        super().__init__("The body came too slowly.")


class BodyBroken(BodyError):
    """The body ended early, or its chunks are malformed."""

    code = "body_broken"
    status = 400

    def __init__(self) -> None:
        super().__init__("The body ended early or is malformed.")


def answer(error: BodyError) -> JsonResponse:
    """The answer to a body that could not be read; the same for every view."""
    return JsonResponse({"detail": error.message}, status=error.status)
