"""x86 with 32 bits."""

from __future__ import annotations

from engine.unwind.cpus.base import CpuModel, Scene, Values, any_word, never
from engine.unwind.cpus.intel import guess_frame_pointer


def _by_frame_pointer(registers: Values, scene: Scene) -> Values | None:
    """Nothing is checked but that both words can be read: what comes out is taken as it is."""
    frame = registers.get("ebp")
    if frame is None:
        return None
    pc, above = scene.stack.word(frame + 4), scene.stack.word(frame)
    if pc is None or above is None:
        return None
    return {"eip": pc, "esp": frame + 8, "ebp": above}


def _guess(registers: Values, place: int, scene: Scene) -> Values:
    return guess_frame_pointer(registers, place, scene, "ebp")


X86 = CpuModel(
    name="x86",
    width=4,
    pc="eip",
    sp="esp",
    saved=("ebp", "ebx", "edi", "esi"),
    back=1,
    by_frame_pointer=_by_frame_pointer,
    keeps_sp=never,
    is_code=any_word,
    guess=_guess,
    # The numbers that CodeView has for the registers: some producers of frame data write them instead of names.
    aliases={"17": "eax", "18": "ecx", "19": "edx", "20": "ebx", "21": "esp", "22": "ebp", "23": "esi", "24": "edi"},
)
