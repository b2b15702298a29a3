"""ARM with 64 bits, where pointers may be signed in their upper bits."""

from __future__ import annotations

from engine.unwind.cpus.base import LOWEST_PC, CpuModel, Scene, Values, no_guess
from engine.unwind.model import Trust

_HIGHEST_PC = (1 << 52) - 1
_LEAST_MASK = (1 << 47) - 1


def pointer_mask(highest: int) -> int:
    """What keeps the address of a signed pointer when the last module ends at `highest`.

    The signature lies above the bits that addresses need, 47 at least.
    """
    return (1 << max(highest, _LEAST_MASK).bit_length()) - 1


def _is_code(value: int) -> bool:
    return LOWEST_PC <= value <= _HIGHEST_PC


def _by_frame_pointer(registers: Values, scene: Scene) -> Values | None:
    """A frame record is the caller's frame pointer and the return address; a null frame pointer ends the chain."""
    frame = registers.get("fp")
    if not frame:
        return None
    above, signed = scene.stack.word(frame), scene.stack.word(frame + 8)
    if above is None or signed is None:
        return None
    pc = signed & scene.pointer_mask
    if not _is_code(pc) or scene.stack.holds(pc):
        return None
    found = {"pc": pc, "sp": frame + 16, "fp": above}
    lr = scene.stack.word(above + 8)
    return found if lr is None else {**found, "lr": lr & scene.pointer_mask}


def _keeps_sp(callee: Trust, caller: Trust) -> bool:
    return callee is Trust.CONTEXT or caller is Trust.CFI


# Where Linux keeps the registers of what it interrupts, from the stack pointer of the code that the handler returns to:
# siginfo_t begins with the signal's number; behind 31 registers in ucontext_t come stack pointer, program counter, and
# after the processor's state a record whose mark and size are always those of the floating point registers.
_REGISTERS_AT = 312
_FLOATING_AT = 592
_FLOATING = 528 << 32 | 0x46508001
_SIGNALS = range(1, 65)
_SAVED = (*(f"x{number}" for number in range(29)), "fp", "lr", "sp", "pc")


def _by_signal(registers: Values, scene: Scene) -> Values | None:
    """Of Linux, where handlers return to code of the kernel's that is in no file."""
    if scene.os not in ("Linux", "Android"):
        return None
    start = registers["sp"]
    word = scene.stack.word
    signal = word(start)
    if word(start + _FLOATING_AT) != _FLOATING or signal is None or signal & 0xFFFFFFFF not in _SIGNALS:
        return None
    saved = scene.stack.ahead(start + _REGISTERS_AT, len(_SAVED))
    found = dict(zip(_SAVED, saved, strict=True))
    return found if _is_code(found["pc"]) else None


ARM64 = CpuModel(
    name="arm64",
    width=8,
    pc="pc",
    sp="sp",
    saved=(*(f"x{number}" for number in range(19, 29)), "fp"),
    back=4,
    by_frame_pointer=_by_frame_pointer,
    keeps_sp=_keeps_sp,
    is_code=_is_code,
    guess=no_guess,
    aliases={"x29": "fp", "x30": "lr", "x31": "sp"},
    by_signal=_by_signal,
)
