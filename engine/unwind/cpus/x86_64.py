"""x86 with 64 bits."""

from __future__ import annotations

from engine.unwind.cpus.base import CpuModel, Scene, Values, never
from engine.unwind.cpus.intel import guess_frame_pointer

_LOWER_HALF_END = 1 << 47
_UPPER_HALF = (1 << 64) - _LOWER_HALF_END
# Windows' frame register may point up to 240 bytes below where the caller's was saved, in steps of 16.
_WINDOWS_OFFSETS = range(0, 16 * 16, 16)


def is_canonical(value: int) -> bool:
    """Whether a pointer that is not null has the form the processor asks for: bits 47 to 63 are equal."""
    return 0 < value < _LOWER_HALF_END or value >= _UPPER_HALF


def _by_frame_pointer(registers: Values, scene: Scene) -> Values | None:
    frame, sp = registers.get("rbp"), registers["rsp"]
    if frame is None:
        return None
    for offset in _WINDOWS_OFFSETS if scene.os == "Windows" else (0,):
        found = _at(frame + offset, sp, scene)
        if found is not None:
            return found
    return None


def _at(frame: int, sp: int, scene: Scene) -> Values | None:
    """The caller if `frame` is where its frame pointer was saved and all of that is plausible."""
    word = scene.stack.word
    above, pc = word(frame), word(frame + 8)
    if above is None or pc is None or above < frame + 16 or not is_canonical(pc):
        return None
    if word(above) is None or frame + 16 <= sp or word(frame + 16) is None or scene.stack.holds(pc):
        return None
    return {"rip": pc, "rsp": frame + 16, "rbp": above}


def _guess(registers: Values, place: int, scene: Scene) -> Values:
    return guess_frame_pointer(registers, place, scene, "rbp")


X86_64 = CpuModel(
    name="x86_64",
    width=8,
    pc="rip",
    sp="rsp",
    saved=("rbx", "rbp", "r12", "r13", "r14", "r15"),
    back=1,
    by_frame_pointer=_by_frame_pointer,
    keeps_sp=never,
    is_code=is_canonical,
    guess=_guess,
)
