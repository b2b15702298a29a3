"""The system information stream: processor, operating system, version."""

from __future__ import annotations

import re
from contextlib import suppress

from engine.minidump.image import Image, Layout, Unreadable
from engine.minidump.model import Cpu, Os, SystemInfo

STREAM = 7
_SYSTEM = Layout("HHHBBIIIIIHH24x")
# PROCESSOR_ARCHITECTURE_* of winnt.h; those from 0x8001 on are Breakpad's.
CPUS = {
    0: Cpu.X86,
    1: Cpu.MIPS,
    3: Cpu.PPC,
    5: Cpu.ARM,
    9: Cpu.X86_64,
    10: Cpu.X86,
    12: Cpu.ARM64,
    0x8001: Cpu.SPARC,
    0x8002: Cpu.PPC64,
    0x8003: Cpu.ARM64,
    0x8004: Cpu.MIPS64,
}
# VER_PLATFORM_* of winnt.h; those from 0x8101 on are Breakpad's.
SYSTEMS = {
    0: Os.WINDOWS,
    1: Os.WINDOWS,
    2: Os.WINDOWS,
    3: Os.WINDOWS,
    0x8101: Os.MACOS,
    0x8102: Os.IOS,
    0x8201: Os.LINUX,
    0x8202: Os.SOLARIS,
    0x8203: Os.ANDROID,
    0x8204: Os.PS3,
    0x8205: Os.NACL,
}
_UNAME = re.compile(r"Linux (\S+) (.*) \w+(?: GNU/Linux)?\Z")


def read_system(image: Image, at: int, size: int) -> SystemInfo:
    """Unreadable when the stream is too short; an unreadable build text counts as empty."""
    if size < _SYSTEM.size:
        raise Unreadable("the system information is too short")
    cpu, _, _, processors, _, major, minor, build, platform, text_at, _, _ = image.unpack(_SYSTEM, at)
    system = SYSTEMS.get(platform, Os.UNKNOWN)
    version, text = f"{major}.{minor}.{build}", ""
    with suppress(Unreadable):
        text = image.utf16(text_at).strip() if text_at else ""
    if system is Os.LINUX and version == "0.0.0" and (uname := _UNAME.match(text)):
        version, text = uname.groups()
    return SystemInfo(system, CPUS.get(cpu, Cpu.UNKNOWN), version, text, processors)
