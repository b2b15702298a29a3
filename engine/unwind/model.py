"""What a walk asks for and what it gives. Addresses are absolute unless they are called relative."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from engine.minidump.model import Region
    from engine.unwind.module_rules import ModuleRules


class Trust(StrEnum):
    """How a frame was found, in the words of the wire."""

    CONTEXT = "context"
    CFI = "cfi"
    FP = "fp"
    SCAN = "scan"


class Ended(StrEnum):
    """Why a walk found no further frame."""

    LIMIT = "limit"  # as many frames as were asked for
    BOTTOM = "bottom"  # the unwind information says that the function was not called by anybody
    LOW_PC = "low_pc"  # the next frame would lie in the first page, where no code is
    NO_PROGRESS = "no_progress"  # the next frame would not lie above this one
    NO_CALLER = "no_caller"  # no method found a caller
    NO_STACK = "no_stack"  # the dump holds no memory at the stack pointer
    CPU = "cpu"  # stacks of this processor are not walked


class WalkedFrame(msgspec.Struct, frozen=True, gc=False):
    """A frame: the address as it was found (a return address but for the first frame), and the module it lies in.

    `module` is the index in the dump's list; it covers the address or, for a return address, the call before it.
    """

    address: int
    trust: Trust
    module: int | None


@dataclass(frozen=True, slots=True)
class Walk:
    """A walked stack, innermost frame first, and the registers of that frame.

    `exact` are the indexes of frames besides the first whose address is that of an instruction, not a return address:
    those that a signal interrupted, and the code before each that its handler returns to.
    """

    frames: list[WalkedFrame]
    registers: dict[str, int]
    ended: Ended
    exact: tuple[int, ...] = ()


class Need(NamedTuple):
    """What a walk waits for: unwind information or symbols of a module, which the driver puts into its book."""

    kind: Literal["cfi", "symcache"]
    module: int


class Pending(Enum):
    MISSING_YET = "missing yet"


MISSING_YET: Final = Pending.MISSING_YET


class Book(Protocol):
    """What is known of the modules so far. After a `Need` was met it must not answer MISSING_YET for that any more."""

    def rules(self, module: int) -> ModuleRules | None | Literal[Pending.MISSING_YET]:
        """The unwind rules of a module, None if there are none to be had."""

    def has_symbol(self, module: int, relative: int) -> bool | Literal[Pending.MISSING_YET]:
        """Whether the module's symbols have something at a relative address; True where there are no symbols."""


class Regions(Protocol):
    """The memory of the process."""

    def find(self, address: int) -> Region | None: ...
