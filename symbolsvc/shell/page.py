"""The answer as text for people: why it crashed, the threads, and what stands in the way of more names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.modules import AddressMap
from symbolsvc.shell.answer import LAST_EXCEPTION, Answer, Frame, Module, Thread
from symbolsvc.shell.words import base_name, printable

# Lines for people about what stands in the way of a module's names.
Explain = Callable[[Module], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """What goes onto the page: the file's name and kind, the answer, and who explains modules without names."""

    title: str
    answer: Answer
    explain: Explain
    covering: AddressMap = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "covering", self.answer.covering())

    def lines(self) -> Iterator[str]:
        """The whole page."""
        yield from self.stacks()
        yield from self._modules()

    def stacks(self) -> Iterator[str]:
        """What happened, and all threads."""
        yield from self._head()
        for thread in self.answer.ordered:
            yield ""
            yield from self._thread(thread)

    def _head(self) -> Iterator[str]:
        system = self.answer.system_info
        words = (
            [system.os_name, system.os_version, system.os_build, system.cpu_arch, system.device_model] if system else []
        )
        yield printable(f"{self.title}: {' '.join(word for word in words if word)}").removesuffix(": ")
        if self.answer.timestamp:
            yield f"at {_time(self.answer.timestamp)}"
        if self.answer.crash_reason:
            yield printable(self.answer.crash_reason)
        if self.answer.signal is not None:
            yield f"signal {self.answer.signal}"
        for said in (self.answer.assertion, self.answer.crash_details):
            yield from (printable(line) for line in (said or "").splitlines())

    def _thread(self, thread: Thread) -> Iterator[str]:
        yield _thread_title(thread)
        if not thread.frames:
            yield "    no frames"
        for frame in thread.frames:
            # Functions that were inlined into each other are one frame of the machine, which diagnoses count.
            yield f"  {frame.original_index:>3}  {frame.trust or '':<9}{self._place(frame)}"
        if thread.diagnosis is not None:
            yield printable(f"       {thread.diagnosis.text}")

    def _place(self, frame: Frame) -> str:
        if not frame.named:
            return printable(f"{self._offset(frame)}  ({frame.status.replace('_', ' ')})")
        where = f"  {frame.filename}:{frame.lineno}" if frame.filename else ""
        inlined = "" if frame.sym_addr else " (inlined)"
        return printable(f"{frame.function or '?'}{inlined}{where}  [{base_name(frame.package or '?')}]")

    def _offset(self, frame: Frame) -> str:
        """The module and how far in it the address is, or the bare address."""
        address = int(frame.instruction_addr, 0)
        if frame.addr_mode != "abs":
            return f"{base_name(frame.package or '?')} + {address:#x}"
        span = self.covering.find(address)
        if span is None:
            return f"{address:#x}"
        return f"{base_name(self.answer.modules[span.module].path)} + {address - span.start:#x}"

    def _modules(self) -> Iterator[str]:
        used = [module for module in self.answer.modules if module.debug_status != "unused"]
        told = [module for module in used if module.debug_status != "found" or module.diagnosis is not None]
        if not told:
            return
        yield ""
        yield f"Modules without names: {len(told)} of {len(used)} in use"
        for module in told:
            yield printable(f"  {base_name(module.path)}  {_ids(module)}  {module.debug_status.replace('_', ' ')}")
            yield from (printable(f"    {line}") for line in self.explain(module))


def _thread_title(thread: Thread) -> str:
    if thread.thread_name == LAST_EXCEPTION and thread.thread_id is None:
        return "Where the exception was thrown"
    name = f" “{thread.thread_name}”" if thread.thread_name else ""
    number = "" if thread.thread_id is None else f" {thread.thread_id}"
    return printable(f"Thread{number}{name}{' crashed' if thread.is_requesting else ''}")


def _ids(module: Module) -> str:
    return module.debug_id or module.code_id or "no id"


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
