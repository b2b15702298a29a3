"""Symbolication of native stacks, from a decoded request to the JSON of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from engine.native.wire import SymbolicateRequest
from engine.outgoing import Deadline, Trust
from engine.run.job import Annotate, Job
from engine.run.remembered import Remembered
from engine.run.resolved import Question
from engine.sourcetypes.base import Source

__all__ = ["Annotate", "Engine"]


class Engine(Remembered):
    """The engine of one process, with everything it remembers. Safe to use from several threads."""

    def symbolicate(
        self,
        request: SymbolicateRequest,
        sources: Sequence[Source],
        *,
        scope: str,
        deadline: Deadline,
        annotate: Annotate | None = None,
        trust: Trust = Trust.NONE,
    ) -> bytes:
        """The JSON of a `completed` answer. Raises DeadlineExceeded; any other failure shows in statuses.

        `trust` says where links to source files may lead besides the public internet.
        """
        return Job(self, request, Question(sources, scope, self.store, deadline), annotate, trust).run()
