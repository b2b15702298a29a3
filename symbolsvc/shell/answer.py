"""The engine's answer, as far as it is shown."""

from __future__ import annotations

from typing import Final

import msgspec

from engine.modules import AddressMap, Span

LAST_EXCEPTION: Final = "Last Exception Backtrace"
SYMBOLICATED: Final = "symbolicated"


class SystemInfo(msgspec.Struct):
    os_name: str = ""
    os_version: str = ""
    os_build: str = ""
    cpu_arch: str = ""
    device_model: str = ""


class Frame(msgspec.Struct):
    """A frame. Addresses are text in hex, absolute unless `addr_mode` names a module."""

    status: str
    instruction_addr: str
    original_index: int = 0
    addr_mode: str = "abs"
    package: str | None = None
    function: str | None = None
    filename: str | None = None
    lineno: int | None = None
    sym_addr: str | None = None
    trust: str | None = None

    @property
    def named(self) -> bool:
        return self.status == SYMBOLICATED


class ThreadDiagnosis(msgspec.Struct):
    """`text` says from which frame on the stack is guessed, and what would mend that."""

    text: str


class Thread(msgspec.Struct):
    frames: list[Frame]
    thread_id: int | None = None
    thread_name: str | None = None
    is_requesting: bool | None = None
    diagnosis: ThreadDiagnosis | None = None


class Try(msgspec.Struct):
    path: str
    status: str
    details: str = ""


class AskedSource(msgspec.Struct):
    id: str
    tries: list[Try]
    note: str = ""


class ModuleDiagnosis(msgspec.Struct):
    verdict: str
    cause: str
    remedy: str
    sources: list[AskedSource] = []


class Module(msgspec.Struct):
    debug_status: str
    image_addr: str
    type: str = "unknown"
    image_size: int = 0
    code_file: str | None = None
    debug_file: str | None = None
    debug_id: str | None = None
    code_id: str | None = None
    diagnosis: ModuleDiagnosis | None = None

    @property
    def path(self) -> str:
        return self.code_file or self.debug_file or "?"


class Answer(msgspec.Struct):
    """A completed answer."""

    stacktraces: list[Thread]
    modules: list[Module]
    timestamp: int | None = None
    signal: int | None = None
    system_info: SystemInfo | None = None
    crashed: bool | None = None
    crash_reason: str | None = None
    crash_details: str | None = None
    assertion: str | None = None

    @property
    def first(self) -> Thread | None:
        """The crashed thread; the first one where none is known to have crashed."""
        crashed = (thread for thread in self.stacktraces if thread.is_requesting)
        return next(crashed, self.stacktraces[0] if self.stacktraces else None)

    @property
    def ordered(self) -> list[Thread]:
        """The crashed thread, the stack that threw its exception, then the others as they come."""
        first = self.first
        return sorted(self.stacktraces, key=lambda thread: (thread is not first, thread.thread_name != LAST_EXCEPTION))

    @property
    def is_named(self) -> bool:
        """Whether every frame of the crashed thread has a name."""
        first = self.first
        return first is not None and bool(first.frames) and all(frame.named for frame in first.frames)

    def covering(self) -> AddressMap:
        """Which module covers an absolute address."""
        return AddressMap(
            [Span(index, int(module.image_addr, 0), module.image_size) for index, module in enumerate(self.modules)]
        )


_decoder: Final = msgspec.json.Decoder(Answer)


def decode(answer: bytes) -> Answer:
    return _decoder.decode(answer)
