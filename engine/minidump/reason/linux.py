"""Crash reasons on Linux and Android: the signal, and its si_code (signal(7), sigaction(2), <asm-generic/siginfo.h>).

Dumps hold the signal's number as the exception's code and its si_code as the exception's flags.
"""

from __future__ import annotations

from engine.minidump.model import Cpu, ExceptionRecord

_DUMP_REQUESTED = 0xFFFFFFFF
SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    16: "SIGSTKFLT",
    17: "SIGCHLD",
    18: "SIGCONT",
    19: "SIGSTOP",
    20: "SIGTSTP",
    21: "SIGTTIN",
    22: "SIGTTOU",
    23: "SIGURG",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    26: "SIGVTALRM",
    27: "SIGPROF",
    28: "SIGWINCH",
    29: "SIGIO",
    30: "SIGPWR",
    31: "SIGSYS",
    # A dump that was asked for without a crash.
    _DUMP_REQUESTED: "DUMP_REQUESTED",
}
# Linux on MIPS numbers these as IRIX did.
_MIPS_SIGNALS = SIGNALS | {
    7: "SIGEMT",
    10: "SIGBUS",
    12: "SIGSYS",
    16: "SIGUSR1",
    17: "SIGUSR2",
    18: "SIGCHLD",
    19: "SIGPWR",
    20: "SIGWINCH",
    21: "SIGURG",
    22: "SIGIO",
    23: "SIGSTOP",
    24: "SIGTSTP",
    25: "SIGCONT",
    26: "SIGTTIN",
    27: "SIGTTOU",
    28: "SIGVTALRM",
    29: "SIGPROF",
    30: "SIGXCPU",
    31: "SIGXFSZ",
}
# Codes that any signal can have: where it came from.
ORIGINS = {
    0x80: "SI_KERNEL",
    -1 & 0xFFFFFFFF: "SI_QUEUE",
    -2 & 0xFFFFFFFF: "SI_TIMER",
    -3 & 0xFFFFFFFF: "SI_MESGQ",
    -4 & 0xFFFFFFFF: "SI_ASYNCIO",
    -5 & 0xFFFFFFFF: "SI_SIGIO",
    -6 & 0xFFFFFFFF: "SI_TKILL",
    -7 & 0xFFFFFFFF: "SI_DETHREAD",
    -60 & 0xFFFFFFFF: "SI_ASYNCNL",
}
_ILL = "ILL_ILLOPC ILL_ILLOPN ILL_ILLADR ILL_ILLTRP ILL_PRVOPC ILL_PRVREG ILL_COPROC ILL_BADSTK ILL_BADIADDR"
_FPE = "FPE_INTDIV FPE_INTOVF FPE_FLTDIV FPE_FLTOVF FPE_FLTUND FPE_FLTRES FPE_FLTINV FPE_FLTSUB"
_SEGV = (
    "SEGV_MAPERR SEGV_ACCERR SEGV_BNDERR SEGV_PKUERR SEGV_ACCADI SEGV_ADIDERR SEGV_ADIPERR SEGV_MTEAERR SEGV_MTESERR"
)
_BUS = "BUS_ADRALN BUS_ADRERR BUS_OBJERR BUS_MCEERR_AR BUS_MCEERR_AO"
_TRAP = "TRAP_BRKPT TRAP_TRACE TRAP_BRANCH TRAP_HWBKPT TRAP_UNK TRAP_PERF"


def _from_one(names: str) -> dict[int, str]:
    return dict(enumerate(names.split(), 1))


CODES = {
    "SIGILL": _from_one(_ILL),
    "SIGFPE": _from_one(_FPE) | {14: "FPE_FLTUNK", 15: "FPE_CONDTRAP"},
    "SIGSEGV": _from_one(_SEGV) | {10: "SEGV_CPERR"},
    "SIGBUS": _from_one(_BUS),
    "SIGTRAP": _from_one(_TRAP),
    "SIGSYS": _from_one("SYS_SECCOMP SYS_USER_DISPATCH"),
}


def describe(record: ExceptionRecord, cpu: Cpu) -> str:
    """ "signal / code"; only the signal when somebody sent it (SI_USER); None of them known: both as numbers."""
    table = _MIPS_SIGNALS if cpu in (Cpu.MIPS, Cpu.MIPS64) else SIGNALS
    signal = table.get(record.code)
    if signal is None:
        return f"unknown 0x{record.code:08x} / 0x{record.flags:08x}"
    if not record.flags:
        return signal
    code = CODES.get(signal, {}).get(record.flags) or ORIGINS.get(record.flags) or f"0x{record.flags:08x}"
    return f"{signal} / {code}"
