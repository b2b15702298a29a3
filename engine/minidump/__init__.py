"""Reading minidumps: streams, threads, registers, memory, modules, and why the process crashed.

The format is Microsoft's (minidumpapiset.h, "MINIDUMP_*"), with the streams that Breakpad, Crashpad and Mozilla added.
Readers work on a view of the file, check every bound, and never copy the process's memory. A damaged stream costs that
stream, not the dump.
"""

from __future__ import annotations

from engine.minidump.assertion import Assertion
from engine.minidump.client_stacks import ClientFrame, ClientStack
from engine.minidump.crashpad import AnnotationObject, Crashpad, ModuleAnnotations
from engine.minidump.directory import BadMinidump
from engine.minidump.dump import Minidump, open_minidump
from engine.minidump.linux import Library, LinuxInfo, Mapping
from engine.minidump.mac_crash_info import CrashInfo
from engine.minidump.memory import Memory
from engine.minidump.memory_info import MemoryRange
from engine.minidump.misc import MiscInfo
from engine.minidump.model import (
    Cpu,
    DamagedStream,
    DumpModule,
    DumpThread,
    ExceptionRecord,
    Os,
    Region,
    Registers,
    Start,
    SystemInfo,
    UnloadedModule,
)

__all__ = [
    "AnnotationObject",
    "Assertion",
    "BadMinidump",
    "ClientFrame",
    "ClientStack",
    "Cpu",
    "Crashpad",
    "CrashInfo",
    "DamagedStream",
    "DumpModule",
    "DumpThread",
    "ExceptionRecord",
    "Library",
    "LinuxInfo",
    "Mapping",
    "Memory",
    "MemoryRange",
    "Minidump",
    "MiscInfo",
    "ModuleAnnotations",
    "Os",
    "Region",
    "Registers",
    "Start",
    "SystemInfo",
    "UnloadedModule",
    "open_minidump",
]
