"""Why a process crashed, in words."""

from __future__ import annotations

from engine.minidump.model import Cpu, ExceptionRecord, Os
from engine.minidump.reason import linux, mach, windows

__all__ = ["crash_address", "crash_reason", "describe"]


def crash_reason(record: ExceptionRecord, os: Os, cpu: Cpu) -> str:
    """ "reason / 0xaddress", as answers show it."""
    return f"{describe(record, os, cpu)} / 0x{crash_address(record, os, cpu):x}"


def describe(record: ExceptionRecord, os: Os, cpu: Cpu) -> str:
    """The reason without the address."""
    if os is Os.WINDOWS:
        return windows.describe(record)
    if os.is_apple:
        return mach.describe(record, cpu)
    if os in (Os.LINUX, Os.ANDROID):
        return linux.describe(record, cpu)
    return f"unknown 0x{record.code:08x} / 0x{record.flags:08x}"


def crash_address(record: ExceptionRecord, os: Os, cpu: Cpu) -> int:
    """The address that the crash is about, absolute, cut to the width of the processor's addresses."""
    address = windows.address(record) if os is Os.WINDOWS else record.address
    return address & 0xFFFFFFFF if cpu.is_narrow else address
