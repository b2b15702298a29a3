"""Which address of a frame to look up: return addresses point behind the call they belong to."""

from __future__ import annotations

from dataclasses import dataclass

# SIGILL, SIGBUS (BSD and macOS) and SIGSEGV: the signals after which the program counter can lie.
CRASH_SIGNALS = frozenset({4, 10, 11})


@dataclass(frozen=True, slots=True)
class Stepping:
    """How instructions of one CPU lie: addresses are cut by `mask`, the one before lies `step` bytes lower."""

    mask: int = -1
    step: int = 1
    ip_register: str | None = None


# By prefix of the architecture's name, the longer prefix first.
_STEPPINGS = (
    ("x86_64", Stepping(-1, 1, "rip")),
    ("amd64", Stepping(-1, 1, "rip")),
    ("x86", Stepping(-1, 1, "eip")),
    ("arm64", Stepping(~3, 4, "pc")),
    ("arm", Stepping(~1, 2, "pc")),
    ("mips", Stepping(~3, 8, "pc")),
    ("ppc64", Stepping(~7, 8, "srr0")),
    ("ppc", Stepping(~3, 4, "srr0")),
    ("wasm", Stepping(~3, 4)),
)
UNKNOWN = Stepping()
IP_REGISTERS = tuple(sorted({known.ip_register for _, known in _STEPPINGS if known.ip_register}))


def stepping(arch: str) -> Stepping:
    """The stepping of an architecture by the name that symcaches use; unknown ones count single bytes."""
    return next((known for prefix, known in _STEPPINGS if arch.startswith(prefix)), UNKNOWN)


@dataclass(frozen=True, slots=True)
class StackFacts:
    """What the heuristic needs to know about the whole stack: was there a crash signal, and the registers."""

    signal: int | None
    registers: dict[str, int]


def aligned(address: int, cpu: Stepping) -> int:
    """The start of the instruction at an absolute address, as far as alignment tells."""
    return address & cpu.mask


def previous(address: int, cpu: Stepping) -> int:
    """The absolute address of the instruction before; negative when there is none."""
    return (address & cpu.mask) - cpu.step


def first_frame(address: int, cpu: Stepping, facts: StackFacts) -> int:
    """The absolute address to look up for a stack's innermost frame, by the heuristic.

    It is where the program stands, unless a crash signal came and the register says otherwise: then a handler was
    entered in between and the address is a return address after all.
    """
    if facts.signal in CRASH_SIGNALS and cpu.ip_register is not None:
        register = facts.registers.get(cpu.ip_register)
        if register is not None and register != address:
            return previous(address, cpu)
    return aligned(address, cpu)
