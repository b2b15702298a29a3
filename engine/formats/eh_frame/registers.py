"""DWARF's register numbers, and the names that unwind text has for them.

After the processors' ABI supplements. The names are those of `symbolic`'s text: `$` before those of x86 and MIPS, none
before those of ARM. General registers only: stack walkers restore no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Machine:
    """The names by number; `leaf_returns`: where nothing is said of it, the return address is in its register.

    Elsewhere the call has put it on the stack, and a function that says nothing of it was called by nobody.
    """

    names: tuple[str, ...]
    leaf_returns: bool


_X86_64: Final = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip"
_X86: Final = "eax ecx edx ebx esp ebp esi edi eip"
_MIPS: Final = "zero at v0 v1 a0 a1 a2 a3 t0 t1 t2 t3 t4 t5 t6 t7 s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 gp sp fp ra"


def _dollar(names: str) -> tuple[str, ...]:
    return tuple(f"${name}" for name in names.split())


# By the machine's number in the ELF header.
MACHINES: Final[dict[int, Machine]] = {
    3: Machine(_dollar(_X86), leaf_returns=False),
    62: Machine(_dollar(_X86_64), leaf_returns=False),
    40: Machine((*(f"r{number}" for number in range(13)), "sp", "lr", "pc"), leaf_returns=True),
    183: Machine((*(f"x{number}" for number in range(31)), "sp"), leaf_returns=True),
    8: Machine(_dollar(_MIPS), leaf_returns=True),
}
