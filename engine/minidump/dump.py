"""A dump opened for reading."""

from __future__ import annotations

from functools import cached_property, partial

from engine.formats.bytewise import Data
from engine.minidump import (
    assertion,
    client_stacks,
    crashpad,
    exception,
    linux,
    mac_crash_info,
    memory,
    memory_info,
    misc,
    modules,
    system,
    threads,
)
from engine.minidump.assertion import Assertion
from engine.minidump.client_stacks import ClientStack
from engine.minidump.crashpad import Crashpad
from engine.minidump.directory import BadMinidump, Streams
from engine.minidump.image import Complain, Image, Layout
from engine.minidump.linux import LinuxInfo
from engine.minidump.mac_crash_info import CrashInfo
from engine.minidump.memory import Memory
from engine.minidump.memory_info import MemoryRange
from engine.minidump.misc import MiscInfo
from engine.minidump.model import (
    DamagedStream,
    DumpModule,
    DumpThread,
    ExceptionRecord,
    Start,
    SystemInfo,
    UnloadedModule,
)
from engine.minidump.reason import crash_reason
from engine.minidump.threads import Rows

BREAKPAD_INFO = 0x47670001
_BREAKPAD = Layout("III")


class Minidump:
    """A crashed process. Streams that are not needed to list threads are read when they are asked for.

    Regions are views of the data that the dump was opened from; it must stay open as long as they are used.
    """

    def __init__(self, data: Data) -> None:
        """BadMinidump when header, system information or thread list cannot be read."""
        self._streams = Streams(data)
        self.timestamp = self._streams.timestamp
        self.system = self._system()
        self._rows = self._thread_rows()

    @cached_property
    def threads(self) -> tuple[DumpThread, ...]:
        """The threads in the order of the dump."""
        complain = self._complainer(threads.LIST)
        return threads.make_threads(
            self._streams.image, self._rows, self.system.cpu, self._names, lambda: self.memory, complain
        )

    @cached_property
    def modules(self) -> tuple[DumpModule, ...]:
        """The modules by address; they do not overlap."""

        def read(image: Image, at: int, size: int) -> tuple[DumpModule, ...]:
            return modules.read_modules(image, at, size, self.system.os, self._complainer(modules.LIST))

        return self._streams.read(modules.LIST, read) or ()

    @cached_property
    def unloaded_modules(self) -> tuple[UnloadedModule, ...]:
        """The modules that had been unloaded, in the order of the dump."""
        return self._streams.read(modules.UNLOADED_LIST, modules.read_unloaded) or ()

    @cached_property
    def memory(self) -> Memory:
        """All memory that the dump holds."""
        blocks = self._streams.read(memory.LIST64, memory.read_list64) or []
        image = self._streams.image
        blocks = blocks + (self._streams.read(memory.LIST, memory.read_list) or [])
        return Memory(image.data, blocks, is_little=image.is_little)

    @cached_property
    def exception(self) -> ExceptionRecord | None:
        """What the process crashed of; None when the dump was written without a crash."""

        def read(image: Image, at: int, size: int) -> ExceptionRecord:
            return exception.read_exception(image, at, size, self.system.cpu)

        return self._streams.read(exception.STREAM, read)

    @property
    def crash_reason(self) -> str:
        """ "reason / 0xaddress" in words; empty when the dump was written without a crash."""
        return crash_reason(self.exception, self.system.os, self.system.cpu) if self.exception else ""

    @property
    def requesting_thread(self) -> int | None:
        """The id of the thread that crashed or that asked for the dump."""
        return self.exception.thread_id if self.exception else self._breakpad[1]

    @property
    def dump_thread(self) -> int | None:
        """The id of the thread that wrote the dump, whose stack is of no interest."""
        return self._breakpad[0]

    @cached_property
    def misc(self) -> MiscInfo | None:
        """The process's id, times and build."""
        return self._streams.read(misc.STREAM, misc.read_misc)

    @cached_property
    def assertion_info(self) -> Assertion | None:
        """The check that failed, where a program says so."""
        return self._streams.read(assertion.STREAM, assertion.read_assertion)

    @property
    def assertion(self) -> str:
        """The check that failed in words, or nothing."""
        return str(self.assertion_info or "")

    @cached_property
    def crashpad(self) -> Crashpad | None:
        """Annotations and ids of a report that Crashpad wrote."""
        return self._streams.read(crashpad.STREAM, crashpad.read_crashpad)

    @cached_property
    def mac_crash_info(self) -> tuple[CrashInfo, ...]:
        """What macOS's libraries said before the process ended."""
        return self._streams.read(mac_crash_info.STREAM, mac_crash_info.read_crash_info) or ()

    @cached_property
    def client_stacks(self) -> tuple[ClientStack, ...]:
        """Stacks that the program walked itself."""
        return self._streams.read(client_stacks.STREAM, client_stacks.read_client_stacks) or ()

    @cached_property
    def memory_info(self) -> tuple[MemoryRange, ...]:
        """How the address space was laid out, where the dump says so."""
        return self._streams.read(memory_info.STREAM, memory_info.read_memory_info) or ()

    @cached_property
    def linux(self) -> LinuxInfo | None:
        """What the dump holds of /proc; None when it has none of it."""
        if not any(type in self._streams for type in range(linux.CPU_INFO, linux.DSO_DEBUG + 1)):
            return None
        views = {name: self._streams.read(type, linux.read_view) for name, type in _LINUX_TEXTS.items()}
        narrow = self.system.cpu.is_narrow
        return LinuxInfo(
            **{name: view for name, view in views.items() if view is not None},
            auxiliary=self._streams.read(linux.AUXILIARY, partial(linux.read_auxiliary, narrow=narrow)) or (),
            libraries=self._streams.read(linux.DSO_DEBUG, partial(linux.read_libraries, narrow=narrow)) or (),
        )

    def start(self, thread: DumpThread) -> Start:
        """Where to begin walking a thread's stack: the crash for the thread that crashed, else where it was stopped."""
        crash = self.exception
        if crash is None or crash.registers is None or crash.thread_id != thread.id:
            return Start(thread.registers, thread.stack)
        own = thread.stack
        start = own.start if own else 0
        return Start(crash.registers, threads.choose_stack(crash.registers, own, start, lambda: self.memory))

    @property
    def damaged(self) -> tuple[DamagedStream, ...]:
        """The streams that cannot be read, and why; asking reads them all."""
        for name in _LAZY:
            getattr(self, name)
        return self._streams.damaged

    def _system(self) -> SystemInfo:
        found = self._streams.read(system.STREAM, system.read_system)
        if found is None:
            raise BadMinidump(self._lacking(system.STREAM, "system information"))
        return found

    def _thread_rows(self) -> Rows:
        rows = self._streams.read(threads.LIST, threads.read_rows)
        if rows is None:
            rows = self._streams.read(threads.LIST_EX, threads.read_rows_ex)
        if rows is None:
            raise BadMinidump(self._lacking(threads.LIST, "thread list"))
        return rows

    def _lacking(self, type: int, what: str) -> str:
        reasons = [entry.reason for entry in self._streams.damaged if entry.type == type]
        return f"The {what} stream cannot be read: {reasons[0]}" if reasons else f"The {what} stream was not found"

    @cached_property
    def _names(self) -> dict[int, str]:
        def read(image: Image, at: int, size: int) -> dict[int, str]:
            return threads.read_names(image, at, size, self._complainer(threads.NAMES))

        return self._streams.read(threads.NAMES, read) or {}

    @cached_property
    def _breakpad(self) -> tuple[int | None, int | None]:
        """The thread that wrote the dump and the one that asked for it, where Breakpad says so."""

        def read(image: Image, at: int, size: int) -> tuple[int | None, int | None]:
            valid, writer, asker = image.unpack(_BREAKPAD, at)
            return writer if valid & 1 else None, asker if valid & 2 else None

        return self._streams.read(BREAKPAD_INFO, read) or (None, None)

    def _complainer(self, type: int) -> Complain:
        return lambda reason: self._streams.damage(type, reason)


_LAZY = (
    *("modules", "threads", "memory", "exception", "unloaded_modules", "_breakpad", "misc", "assertion_info"),
    *("crashpad", "mac_crash_info", "client_stacks", "memory_info", "linux"),
)
_LINUX_TEXTS = {
    "cpu_info": linux.CPU_INFO,
    "status": linux.STATUS,
    "lsb_release": linux.LSB_RELEASE,
    "command_line": linux.COMMAND_LINE,
    "environment": linux.ENVIRONMENT,
    "maps": linux.MAPS,
}


def open_minidump(data: Data) -> Minidump:
    """Open a dump that lies in memory or is mapped; BadMinidump says why it cannot be shown at all."""
    return Minidump(data)
