"""Reading minidumps: streams, threads, registers, memory, modules, and why the process crashed.

The format is Microsoft's (minidumpapiset.h, "MINIDUMP_*"), with the streams that Breakpad, Crashpad and Mozilla added.
Readers work on a view of the file, check every bound, and never copy the process's memory. A damaged stream costs that
stream, not the dump.
"""

from __future__ import annotations

from engine.minidump.directory import BadMinidump
from engine.minidump.dump import Minidump, open_minidump
from engine.minidump.memory import Memory
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
    "BadMinidump",
    "Cpu",
    "DamagedStream",
    "DumpModule",
    "DumpThread",
    "ExceptionRecord",
    "Memory",
    "Minidump",
    "Os",
    "Region",
    "Registers",
    "Start",
    "SystemInfo",
    "UnloadedModule",
    "open_minidump",
]
