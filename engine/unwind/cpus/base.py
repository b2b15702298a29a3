"""What the methods of unwinding must know of a processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from engine.unwind.model import Trust

if TYPE_CHECKING:
    from engine.minidump.model import Os
    from engine.unwind.stack import Stack

Values: TypeAlias = dict[str, int]

LOWEST_PC = 0x1000
_OWN_NAMES = frozenset({".cfa", ".ra", ".undef", ".signal"})


@dataclass(slots=True)
class Scene:
    """Where a walk takes place. `pointer_mask` keeps the address of a pointer that carries other bits as well.

    `stack` is the region that the frame's stack pointer lies in.
    """

    cpu: CpuModel
    os: Os
    stack: Stack
    pointer_mask: int


@dataclass(frozen=True, eq=False, slots=True)
class CpuModel:
    """One processor: the names of its registers and what differs between the processors.

    `saved` are the registers that a function gives back as they were. `back` is the distance in bytes from a return
    address to some place in the call before it. `by_frame_pointer` gives the caller's registers or None.
    `keeps_sp` says whether a caller may have its callee's stack pointer, from the callee's and the caller's trust.
    `guess` finds the frame pointer of a caller whose return address was met at an address while scanning.
    `by_signal` gives the registers of what a signal interrupted when the stack pointer is where the kernel put them.
    """

    name: str
    width: int
    pc: str
    sp: str
    saved: tuple[str, ...]
    back: int
    by_frame_pointer: Callable[[Values, Scene], Values | None]
    keeps_sp: Callable[[Trust, Trust], bool]
    is_code: Callable[[int], bool]
    guess: Callable[[Values, int, Scene], Values]
    aliases: Mapping[str, str] = field(default_factory=dict)
    by_signal: Callable[[Values, Scene], Values | None] | None = None

    @property
    def mask(self) -> int:
        """The greatest word."""
        return (1 << 8 * self.width) - 1

    def rename(self, name: str) -> str:
        """The name that the dump has for a register of unwind rules, which write `$rsp`, `.sp` or `x29`."""
        if name in _OWN_NAMES:
            return name
        bare = name.lstrip("$.")
        return self.aliases.get(bare, bare)

    def forwarded(self, registers: Values) -> Values:
        """The registers that a caller has in common with its callee unless a rule says otherwise."""
        return {name: registers[name] for name in self.saved if name in registers}


def never(callee: Trust, caller: Trust) -> bool:
    """Each call takes stack."""
    return False


def for_a_leaf(callee: Trust, caller: Trust) -> bool:
    """The innermost function may have left the stack alone."""
    return callee is Trust.CONTEXT


def no_frame_pointer(registers: Values, scene: Scene) -> Values | None:
    """Frame pointers are not followed."""
    return None


def no_guess(registers: Values, place: int, scene: Scene) -> Values:
    """Nothing is known of a frame that was met while scanning."""
    return {}


def any_word(value: int) -> bool:
    """All addresses can be code."""
    return value != 0
