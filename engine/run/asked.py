"""What a job is asked, whatever kind of report it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.native.fragments import json_text, sorted_json
from engine.native.images import ImageIdentity
from engine.native.wire import SymbolicateRequest, Thread
from engine.run.unwound import Unwound

# The JSON of the answer's own fields, each with a comma behind it, by the first architecture known of a module.
Head = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """Where a process ran, in the order of the wire; what is unknown is empty."""

    os_name: str = ""
    os_version: str = ""
    os_build: str = ""
    cpu_arch: str = "unknown"
    device_model: str = ""


@dataclass(frozen=True, slots=True)
class CrashFacts:
    """What a crash report says besides stacks and modules. `timestamp` in seconds since the epoch."""

    timestamp: int | None
    system: SystemFacts
    crashed: bool
    crash_reason: str | None
    crash_details: str | None = None
    assertion: str | None = None

    def head(self, arch: str) -> str:
        """The fields of the answer; `arch` is that of a module, for reports that do not tell it."""
        system = {name: getattr(self.system, name) for name in SystemFacts.__slots__}
        if self.system.cpu_arch == "unknown":
            system["cpu_arch"] = arch
        said = {
            "timestamp": self.timestamp,
            "system_info": system,
            "crashed": self.crashed,
            "crash_reason": self.crash_reason,
            "crash_details": self.crash_details,
            "assertion": self.assertion,
        }
        return f"{json_text({name: value for name, value in said.items() if value is not None})[1:-1]},"


@dataclass(frozen=True, slots=True)
class Asked:
    """Stacks and modules, and what the answer says besides.

    `identities` are those of the modules, in their order. `unwound` is what unwinding found out about modules, by their
    index; None where nothing was unwound. `stack_ends` is JSON at the end of stacks by their index, `end` that at the
    end of the answer.
    """

    request: SymbolicateRequest
    identities: Sequence[ImageIdentity]
    head: Head
    unwound: Mapping[int, Unwound] | None = None
    stack_ends: Mapping[int, str] = field(default_factory=dict)
    end: str = ""


def signal_head(signal: int | None) -> Head:
    """The fields of the answer to a request for native stacks."""
    text = "" if signal is None else f'"signal":{signal},'
    return lambda _: text


def stack_head(thread: Thread) -> str:
    """The JSON of a stack's own fields, up to its frames."""
    thread_id = "" if thread.thread_id is None else f'"thread_id":{thread.thread_id},'
    name = "" if thread.thread_name is None else f'"thread_name":{json_text(thread.thread_name)},'
    asking = "" if thread.is_requesting is None else f'"is_requesting":{json_text(thread.is_requesting)},'
    registers = f'"registers":{sorted_json(thread.registers)},' if thread.registers else ""
    return thread_id + name + asking + registers
