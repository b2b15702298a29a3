"""Why a process crashed, in words."""

from __future__ import annotations

import re

import pytest

from engine.minidump import Cpu, ExceptionRecord, Os, open_minidump
from engine.minidump.reason import crash_reason
from engine.minidump.reason.ntstatus import NTSTATUS
from engine.minidump.reason.win32_errors import WIN32_ERRORS
from tests.engine.minidump.writer import Writer


def reason(
    os: Os, code: int, flags: int = 0, parameters: tuple[int, ...] = (), address: int = 0x1234, cpu: Cpu = Cpu.X86_64
) -> str:
    writer = Writer(cpu, os).exception(1, code, flags=flags, address=address, parameters=parameters)
    return open_minidump(writer.build()).crash_reason


@pytest.mark.parametrize(
    ("code", "parameters", "expected"),
    [
        (0xC0000005, (0, 0x45), "EXCEPTION_ACCESS_VIOLATION_READ / 0x45"),
        (0xC0000005, (1, 0x45), "EXCEPTION_ACCESS_VIOLATION_WRITE / 0x45"),
        (0xC0000005, (8, 0x45), "EXCEPTION_ACCESS_VIOLATION_EXEC / 0x45"),
        (0xC0000005, (3, 0x45), "EXCEPTION_ACCESS_VIOLATION / 0x45"),
        (0xC0000005, (0,), "EXCEPTION_ACCESS_VIOLATION_READ / 0x1234"),
        (0xC0000005, (), "EXCEPTION_ACCESS_VIOLATION / 0x1234"),
        (0xC0000006, (0, 0x45, 0xC000026E), "EXCEPTION_IN_PAGE_ERROR_READ / STATUS_VOLUME_DISMOUNTED / 0x45"),
        (0xC0000006, (1, 0x45, 0xDEAD0000), "EXCEPTION_IN_PAGE_ERROR_WRITE / 0xdead0000 / 0x45"),
        (0xC0000006, (8, 0x45), "EXCEPTION_IN_PAGE_ERROR_EXEC / 0x45"),
        (0xC0000409, (2,), "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_STACK_COOKIE_CHECK_FAILURE / 0x1234"),
        (0xC0000409, (7,), "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_FATAL_APP_EXIT / 0x1234"),
        (0xC0000409, (999,), "EXCEPTION_STACK_BUFFER_OVERRUN / 0x000003e7 / 0x1234"),
        (0xC0000409, (), "EXCEPTION_STACK_BUFFER_OVERRUN / 0x1234"),
        (0x80000003, (), "EXCEPTION_BREAKPOINT / 0x1234"),
        (0xC00000FD, (), "EXCEPTION_STACK_OVERFLOW / 0x1234"),
        (0xC0000374, (), "EXCEPTION_HEAP_CORRUPTION / 0x1234"),
        (0xE0000008, (), "Out of Memory / 0x1234"),
        (0xE06D7363, (), "Unhandled C++ Exception / 0x1234"),
        (0x0517A7ED, (), "Simulated Exception / 0x1234"),
        (0x00000005, (), "ERROR_ACCESS_DENIED / 0x1234"),
        (0xC000000D, (), "STATUS_INVALID_PARAMETER / 0x1234"),
        (0xC0000420, (), "STATUS_ASSERTION_FAILURE / 0x1234"),
        (0xC06D007E, (), "FACILITY_VISUALCPP / ERROR_MOD_NOT_FOUND / 0x1234"),
        (0xC06D007F, (), "FACILITY_VISUALCPP / ERROR_PROC_NOT_FOUND / 0x1234"),
        (0x8007000E, (), "FACILITY_WIN32 / ERROR_OUTOFMEMORY / 0x1234"),
        (0xE0434352, (), "unknown 0xe0434352 / 0x1234"),
        (0x12345678, (), "unknown 0x12345678 / 0x1234"),
    ],
)
def test_windows(code: int, parameters: tuple[int, ...], expected: str):
    assert reason(Os.WINDOWS, code, parameters=parameters) == expected


@pytest.mark.parametrize(
    ("code", "flags", "expected"),
    [
        (11, 1, "SIGSEGV / SEGV_MAPERR"),
        (11, 2, "SIGSEGV / SEGV_ACCERR"),
        (11, 9, "SIGSEGV / SEGV_MTESERR"),
        (11, 0, "SIGSEGV"),
        (11, 0x80, "SIGSEGV / SI_KERNEL"),
        (11, 77, "SIGSEGV / 0x0000004d"),
        (6, 0xFFFFFFFA, "SIGABRT / SI_TKILL"),
        (6, 0xFFFFFFFF, "SIGABRT / SI_QUEUE"),
        (8, 1, "SIGFPE / FPE_INTDIV"),
        (4, 2, "SIGILL / ILL_ILLOPN"),
        (7, 2, "SIGBUS / BUS_ADRERR"),
        (5, 1, "SIGTRAP / TRAP_BRKPT"),
        (31, 1, "SIGSYS / SYS_SECCOMP"),
        (10, 0, "SIGUSR1"),
        (0xFFFFFFFF, 0, "DUMP_REQUESTED"),
        (99, 3, "unknown 0x00000063 / 0x00000003"),
    ],
)
@pytest.mark.parametrize("os", [Os.LINUX, Os.ANDROID])
def test_linux_and_android(os: Os, code: int, flags: int, expected: str):
    assert reason(os, code, flags) == f"{expected} / 0x1234"


def test_linux_on_mips_numbers_signals_otherwise():
    assert reason(Os.LINUX, 10, 1, cpu=Cpu.MIPS) == "SIGBUS / BUS_ADRALN / 0x1234"


@pytest.mark.parametrize(
    ("code", "flags", "cpu", "expected"),
    [
        (1, 1, Cpu.X86_64, "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS"),
        (1, 2, Cpu.ARM64, "EXC_BAD_ACCESS / KERN_PROTECTION_FAILURE"),
        (1, 50, Cpu.ARM64, "EXC_BAD_ACCESS / KERN_CODESIGN_ERROR"),
        (1, 13, Cpu.X86_64, "EXC_BAD_ACCESS / EXC_I386_GPFLT"),
        (1, 13, Cpu.ARM64, "EXC_BAD_ACCESS / 0x0000000d"),
        (1, 0x101, Cpu.ARM64, "EXC_BAD_ACCESS / EXC_ARM_DA_ALIGN"),
        (2, 1, Cpu.X86_64, "EXC_BAD_INSTRUCTION / EXC_I386_INVOP"),
        (2, 1, Cpu.ARM64, "EXC_BAD_INSTRUCTION / EXC_ARM_UNDEFINED"),
        (3, 1, Cpu.X86, "EXC_ARITHMETIC / EXC_I386_DIV"),
        (5, 0x10003, Cpu.X86_64, "EXC_SOFTWARE / EXC_SOFT_SIGNAL"),
        (5, 0xDEADC0DE, Cpu.X86_64, "EXC_SOFTWARE / UNCAUGHT_NS_EXCEPTION"),
        (6, 2, Cpu.X86_64, "EXC_BREAKPOINT / EXC_I386_BPT"),
        (6, 1, Cpu.ARM64, "EXC_BREAKPOINT / EXC_ARM_BREAKPOINT"),
        (10, 0x06000000, Cpu.ARM64, "EXC_CRASH / SIGABRT"),
        (13, 0, Cpu.ARM64, "EXC_CORPSE_NOTIFY / 0x00000000"),
        (0x43507378, 0, Cpu.ARM64, "Simulated Exception"),
        (77, 3, Cpu.ARM64, "unknown 0x0000004d / 0x00000003"),
    ],
)
@pytest.mark.parametrize("os", [Os.MACOS, Os.IOS])
def test_mach_exceptions(os: Os, code: int, flags: int, cpu: Cpu, expected: str):
    assert reason(os, code, flags, cpu=cpu) == f"{expected} / 0x1234"


RESOURCE, GUARD = 11, 12


@pytest.mark.parametrize(
    ("kind", "code", "subcode", "expected"),
    [
        (
            RESOURCE,
            1 << 61 | 2 << 58 | 180 << 7 | 50,
            93,
            "EXC_RESOURCE / RESOURCE_TYPE_CPU / FLAVOR_CPU_MONITOR_FATAL "
            "interval: 180s CPU limit: 50% CPU consumed: 93%",
        ),
        (
            RESOURCE,
            2 << 61 | 1 << 58 | 300 << 20 | 150,
            999,
            "EXC_RESOURCE / RESOURCE_TYPE_WAKEUPS / FLAVOR_WAKEUPS_MONITOR "
            "observation interval: 300s wakeups permitted: 150 wakeups observed: 999",
        ),
        (
            RESOURCE,
            3 << 61 | 1 << 58 | 650,
            0,
            "EXC_RESOURCE / RESOURCE_TYPE_MEMORY / FLAVOR_HIGH_WATERMARK high watermark limit: 650MiB",
        ),
        (
            RESOURCE,
            4 << 61 | 2 << 58 | 60 << 15 | 1024,
            2048,
            "EXC_RESOURCE / RESOURCE_TYPE_IO / FLAVOR_IO_LOGICAL_WRITES "
            "interval: 60s I/O limit: 1024MiB I/O count: 2048MiB",
        ),
        (
            RESOURCE,
            5 << 61 | 7 << 58 | 512,
            0,
            "EXC_RESOURCE / RESOURCE_TYPE_THREADS / 0x7 high watermark limit: 512",
        ),
        (RESOURCE, 7 << 61, 5, "EXC_RESOURCE / 0xe000000000000000 / 0x0000000000000005"),
        (
            GUARD,
            2 << 61 | 1 << 32 | 17,
            0x08FD4DBFADE2DEAD,
            "EXC_GUARD / GUARD_TYPE_FD / GUARD_EXC_CLOSE fd: 0x11 guard: 0x08fd4dbfade2dead",
        ),
        (
            GUARD,
            1 << 61 | 32 << 32 | 0x103,
            0,
            "EXC_GUARD / GUARD_TYPE_MACH_PORT / GUARD_EXC_IMMOVABLE port: 0x103 guard: 0x0000000000000000",
        ),
        (GUARD, 3 << 61 | 18, 2, "EXC_GUARD / GUARD_TYPE_USER namespace: 0x12 guard: 0x0000000000000002"),
        (GUARD, 7 << 61, 5, "EXC_GUARD / 0xe000000000000000 / 0x0000000000000005"),
    ],
)
def test_resources_and_guards_are_spelled_out(kind: int, code: int, subcode: int, expected: str):
    parameters = (kind, code, subcode)
    assert reason(Os.MACOS, kind, code >> 32, parameters, cpu=Cpu.ARM64) == f"{expected} / 0x1234"


def test_without_parameters_the_high_half_says_type_and_flavor():
    assert reason(Os.MACOS, GUARD, (2 << 61 | 1 << 32) >> 32).startswith("EXC_GUARD / GUARD_TYPE_FD / GUARD_EXC_CLOSE")


def test_other_systems_show_numbers():
    assert reason(Os.SOLARIS, 11, 1) == "unknown 0x0000000b / 0x00000001 / 0x1234"


@pytest.mark.parametrize(
    ("os", "cpu", "expected"),
    [
        (Os.LINUX, Cpu.X86, "0x4000"),
        (Os.LINUX, Cpu.ARM, "0x4000"),
        (Os.LINUX, Cpu.X86_64, "0xffffffff00004000"),
        (Os.WINDOWS, Cpu.X86, "0x4000"),
    ],
)
def test_addresses_are_as_wide_as_the_processors(os: Os, cpu: Cpu, expected: str):
    assert reason(os, 11, 1, address=0xFFFFFFFF00004000, cpu=cpu).endswith(f" / {expected}")


def test_without_an_exception_there_is_no_reason():
    assert open_minidump(Writer().build()).crash_reason == ""


def test_any_code_on_any_system_gives_a_reason():
    for os in Os:
        for cpu in Cpu:
            for code in (*range(32), *range(0x80000000, 0x80000010), 0xC0000005, 0xC0000006, 0xC0000409, 0xFFFFFFFF):
                for parameters in ((), (1,), (10, 2), (2**64 - 1,) * 3):
                    record = ExceptionRecord(1, code, 0xFFFFFFFF, 2**64 - 1, parameters, None)
                    assert re.fullmatch(r"\S.* / 0x[0-9a-f]+", crash_reason(record, os, cpu))


def test_the_tables_of_windows_hold_names():
    assert len(NTSTATUS) > 1700
    assert len(WIN32_ERRORS) > 1900
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9_]+", name) for name in (*NTSTATUS.values(), *WIN32_ERRORS.values()))
    assert (NTSTATUS[0xC0000135], WIN32_ERRORS[1450]) == ("STATUS_DLL_NOT_FOUND", "ERROR_NO_SYSTEM_RESOURCES")
