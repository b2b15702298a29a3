"""The engine's answers about native stacks, as parts of a result."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import msgspec

from crashes.results import Frame, Module, System, Thread
from crashes.scrubbing import scrub_text


class AnsweredFrame(Frame, omit_defaults=True, gc=False):
    """A frame of an answer. Those of one `original_index` (of the frame that was asked about) lie at one address."""

    original_index: int = 0


class AnsweredStack(msgspec.Struct):
    """A stack of an answer."""

    frames: list[AnsweredFrame]
    thread_id: int | None = None
    thread_name: str | None = None
    is_requesting: bool | None = None
    registers: dict[str, str] = {}
    diagnosis: dict[str, Any] | None = None

    def thread(self) -> Thread:
        """As part of a result."""
        return Thread(
            self.plain_frames(),
            "" if self.thread_id is None else str(self.thread_id),
            scrub_text(self.thread_name or ""),
            self.is_requesting is True,
            self.registers,
            self.diagnosis,
        )

    def plain_frames(self) -> list[Frame]:
        """The frames, innermost first, with those marked that were inlined; their indexes are taken off."""
        for inner, outer in pairwise(self.frames):
            inner.inline = inner.original_index == outer.original_index
        for frame in self.frames:
            # As the default, which is not stored.
            frame.original_index = 0
        return list(self.frames)


class Answer(msgspec.Struct):
    """A completed answer for native stacks, a minidump or a report of Apple's."""

    stacktraces: list[AnsweredStack]
    modules: list[Module]
    timestamp: float | None = None
    system_info: System = msgspec.field(default_factory=System)
    crash_reason: str | None = None
    crash_details: str | None = None
    assertion: str | None = None
    dump: dict[str, Any] = {}


_decoder: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer:
    """Decode an answer of the engine. Raises msgspec.DecodeError for anything else."""
    return _decoder.decode(body)
