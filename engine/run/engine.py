"""Symbolication of requests and crash reports, from what was decoded or read to the JSON of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.formats.bytewise import Data
from engine.native.wire import SymbolicateRequest
from engine.outgoing import Deadline, Trust
from engine.run.apple import read_apple
from engine.run.asked import Asked, signal_head
from engine.run.dumps import DumpReading
from engine.run.job import Annotate, Job
from engine.run.question import Question
from engine.run.remembered import Remembered
from engine.run.report_wire import ReportOptions
from engine.sourcetypes.base import Source

__all__ = ["Annotate", "Engine"]


class Engine(Remembered):
    """The engine of one process, with everything it remembers. Safe to use from several threads."""

    def decode(self, body: bytes) -> SymbolicateRequest:
        """The body of a request. Raises BadJson (answer 400) or BadSchema (answer 422)."""
        return self.reader.decode(body)

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
        ground = request.ground
        identities = ground.identities if ground else [self.identities.get(module) for module in request.modules]
        asked = Asked(request, identities, signal_head(request.signal))
        return Job(self, asked, Question(sources, scope, self.store, deadline), annotate, trust).run()

    def minidump(
        self,
        dump: Path | Data,
        options: ReportOptions,
        sources: Sequence[Source],
        *,
        scope: str,
        deadline: Deadline,
        trust: Trust = Trust.NONE,
        annotate: Annotate | None = None,
        explain: bool = False,
    ) -> bytes:
        """The JSON of a `completed` answer to a minidump: a path, or its bytes, which must not change meanwhile.

        With `explain` stacks say from which frame on they are guessed and why, and the answer what else the dump holds.
        Raises BadReport for what is no minidump, OSError when it cannot be read, and DeadlineExceeded.
        """
        question = Question(sources, scope, self.store, deadline)
        reading = DumpReading(self, dump, options, question)
        reading.walk()
        asked = reading.asked(explain=explain)
        del reading
        return Job(self, asked, question, annotate, trust).run()

    def apple(
        self,
        report: Path | Data,
        options: ReportOptions,
        sources: Sequence[Source],
        *,
        scope: str,
        deadline: Deadline,
        trust: Trust = Trust.NONE,
        annotate: Annotate | None = None,
        explain: bool = False,
    ) -> bytes:
        """The JSON of a `completed` answer to a crash report of Apple's, in text, JSON or as PLCrashReporter writes it.

        There is nothing more to `explain`: its frames are those of the report. Raises as `minidump`.
        """
        asked = read_apple(report, options, self.identities, self.gate)
        return Job(self, asked, Question(sources, scope, self.store, deadline), annotate, trust).run()
