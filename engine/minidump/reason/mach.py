"""Crash reasons on macOS and iOS: Mach exceptions (xnu's <mach/exception_types.h> and the headers beside it).

Dumps hold the exception as the code, and the low half of its own code as the flags; for EXC_RESOURCE and EXC_GUARD the
high half. Crashpad adds exception, code and subcode in full as parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.minidump.model import Cpu, ExceptionRecord
from engine.minidump.reason.mach_limits import describe_guard, describe_resource
from engine.minidump.reason.mach_signals import SIGNALS

_CRASH, _RESOURCE, _GUARD = 10, 11, 12
_SIMULATED = 0x43507378
EXCEPTIONS = {
    1: "EXC_BAD_ACCESS",
    2: "EXC_BAD_INSTRUCTION",
    3: "EXC_ARITHMETIC",
    4: "EXC_EMULATION",
    5: "EXC_SOFTWARE",
    6: "EXC_BREAKPOINT",
    7: "EXC_SYSCALL",
    8: "EXC_MACH_SYSCALL",
    9: "EXC_RPC_ALERT",
    _CRASH: "EXC_CRASH",
    _RESOURCE: "EXC_RESOURCE",
    _GUARD: "EXC_GUARD",
    13: "EXC_CORPSE_NOTIFY",
}
_ANY = {
    "EXC_BAD_ACCESS": {
        1: "KERN_INVALID_ADDRESS",
        2: "KERN_PROTECTION_FAILURE",
        8: "KERN_NO_ACCESS",
        9: "KERN_MEMORY_FAILURE",
        10: "KERN_MEMORY_ERROR",
        50: "KERN_CODESIGN_ERROR",
    },
    "EXC_SOFTWARE": {
        0x10000: "EXC_UNIX_BAD_SYSCALL",
        0x10001: "EXC_UNIX_BAD_PIPE",
        0x10002: "EXC_UNIX_ABORT",
        0x10003: "EXC_SOFT_SIGNAL",
        # Breakpad's own, for an Objective-C exception that nobody caught.
        0xDEADC0DE: "UNCAUGHT_NS_EXCEPTION",
    },
}
_X86 = {
    "EXC_BAD_ACCESS": {13: "EXC_I386_GPFLT"},
    "EXC_BAD_INSTRUCTION": {
        1: "EXC_I386_INVOP",
        10: "EXC_I386_INVTSSFLT",
        11: "EXC_I386_SEGNPFLT",
        12: "EXC_I386_STKFLT",
        13: "EXC_I386_GPFLT",
        17: "EXC_I386_ALIGNFLT",
    },
    "EXC_ARITHMETIC": {
        1: "EXC_I386_DIV",
        2: "EXC_I386_INTO",
        3: "EXC_I386_NOEXT",
        4: "EXC_I386_EXTOVR",
        5: "EXC_I386_EXTERR",
        6: "EXC_I386_EMERR",
        7: "EXC_I386_BOUND",
        8: "EXC_I386_SSEEXTERR",
    },
    "EXC_BREAKPOINT": {1: "EXC_I386_SGL", 2: "EXC_I386_BPT"},
}
_ARM = {
    "EXC_BAD_ACCESS": {
        0x101: "EXC_ARM_DA_ALIGN",
        0x102: "EXC_ARM_DA_DEBUG",
        0x103: "EXC_ARM_SP_ALIGN",
        0x104: "EXC_ARM_SWP",
        0x105: "EXC_ARM_PAC_FAIL",
    },
    "EXC_BAD_INSTRUCTION": {1: "EXC_ARM_UNDEFINED"},
    "EXC_ARITHMETIC": {
        0: "EXC_ARM_FP_UNDEFINED",
        1: "EXC_ARM_FP_IO",
        2: "EXC_ARM_FP_DZ",
        3: "EXC_ARM_FP_OF",
        4: "EXC_ARM_FP_UF",
        5: "EXC_ARM_FP_IX",
        6: "EXC_ARM_FP_ID",
    },
    "EXC_BREAKPOINT": {1: "EXC_ARM_BREAKPOINT", 0x101: "EXC_ARM_DA_ALIGN", 0x102: "EXC_ARM_DA_DEBUG"},
}
_PPC = {
    "EXC_BAD_ACCESS": {0x101: "EXC_PPC_VM_PROT_READ", 0x102: "EXC_PPC_BADSPACE", 0x103: "EXC_PPC_UNALIGNED"},
    "EXC_BAD_INSTRUCTION": {
        1: "EXC_PPC_INVALID_SYSCALL",
        2: "EXC_PPC_UNIPL_INST",
        3: "EXC_PPC_PRIVINST",
        4: "EXC_PPC_PRIVREG",
        5: "EXC_PPC_TRACE",
        6: "EXC_PPC_PERFMON",
    },
    "EXC_ARITHMETIC": {
        1: "EXC_PPC_OVERFLOW",
        2: "EXC_PPC_ZERO_DIVIDE",
        3: "EXC_PPC_FLT_INEXACT",
        4: "EXC_PPC_FLT_ZERO_DIVIDE",
        5: "EXC_PPC_FLT_UNDERFLOW",
        6: "EXC_PPC_FLT_OVERFLOW",
        7: "EXC_PPC_FLT_NOT_A_NUMBER",
    },
    "EXC_BREAKPOINT": {1: "EXC_PPC_BREAKPOINT"},
}
_BY_CPU: Mapping[Cpu, Mapping[str, Mapping[int, str]]] = {
    Cpu.X86: _X86,
    Cpu.X86_64: _X86,
    Cpu.ARM: _ARM,
    Cpu.ARM64: _ARM,
    Cpu.PPC: _PPC,
    Cpu.PPC64: _PPC,
}


def describe(record: ExceptionRecord, cpu: Cpu) -> str:
    """ "exception / code"; crashes, resources and guards are spelled out where the dump has their code in full."""
    kind = _kind(record)
    if kind == _SIMULATED:
        return "Simulated Exception"
    name = EXCEPTIONS.get(kind)
    if name is None:
        return f"unknown 0x{record.code:08x} / 0x{record.flags:08x}"
    if kind == _CRASH:
        return f"{name} / {_crash(_code(record))}"
    if kind == _RESOURCE:
        return f"{name} / {describe_resource(_code(record), _subcode(record))}"
    if kind == _GUARD:
        return f"{name} / {describe_guard(_code(record), _subcode(record))}"
    code = _BY_CPU.get(cpu, {}).get(name, {}).get(record.flags) or _ANY.get(name, {}).get(record.flags)
    return f"{name} / {code or f'0x{record.flags:08x}'}"


def _kind(record: ExceptionRecord) -> int:
    """The Mach exception. Crashpad unpacks EXC_CRASH and leaves a code of 0 when there was none before the signal."""
    if record.code == 0 and record.parameters and record.parameters[0] == _CRASH:
        return _CRASH
    return record.code


def _code(record: ExceptionRecord) -> int:
    """The exception's 64-bit code, of which the flags have the low half, or the high one for resources and guards."""
    if len(record.parameters) >= 2:
        return record.parameters[1]
    return record.flags << 32 if record.code in (_RESOURCE, _GUARD) else record.flags


def _subcode(record: ExceptionRecord) -> int:
    return record.parameters[2] if len(record.parameters) >= 3 else 0


def _crash(code: int) -> str:
    """EXC_CRASH holds the signal in bits 24 to 31, and the exception that became the signal in bits 20 to 23."""
    signal = SIGNALS.get(code >> 24 & 0xFF)
    return signal or f"0x{code & 0xFFFFFFFF:08x}"
