"""What the status lines of web servers mean for a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import FailureKind, LookupFailure
from engine.outgoing import Deadline, Opener, Part, PartRefused, Reply, WebRequest, unreachable

UNSATISFIABLE = 416


def judge(reply: Reply, part: Part | None = None) -> None:
    """Let a file or a part of one pass, and raise LookupFailure (or PartRefused) for everything else."""
    if reply.status == 200 or (reply.status == 206 and part):
        return
    if part and reply.status == UNSATISFIABLE:
        raise PartRefused
    if reply.status in (401, 403):
        raise LookupFailure(FailureKind.REFUSED, str(reply))
    if reply.status == 302:
        raise LookupFailure(FailureKind.REFUSED, "Potential login page detected")
    if 400 <= reply.status < 500:
        raise LookupFailure(FailureKind.NOT_FOUND)
    raise unreachable(str(reply))


def judged(request: Callable[[Deadline], WebRequest], check: Callable[[Reply, Part | None], None] = judge) -> Opener:
    """An opener of what `request` asks for, whose answers have passed `check`."""

    @contextmanager
    def open_part(part: Part | None, deadline: Deadline) -> Iterator[Reply]:
        with request(deadline).open(part, deadline) as reply:
            check(reply, part)
            yield reply

    return open_part
