"""ARM with 32 bits."""

from __future__ import annotations

from engine.unwind.cpus.base import CpuModel, Scene, Values, any_word, for_a_leaf, no_guess


def _by_frame_pointer(registers: Values, scene: Scene) -> Values | None:
    """Only iOS has a convention that is kept: r7 points at the caller's r7 and the return address."""
    frame = registers.get("r7")
    if scene.os != "iOS" or not frame:
        return None
    above, pc = scene.stack.word(frame), scene.stack.word(frame + 4)
    if above is None or pc is None:
        return None
    return {"pc": pc, "sp": frame + 8, "r7": above}


ARM = CpuModel(
    name="arm",
    width=4,
    pc="pc",
    sp="sp",
    saved=(*(f"r{number}" for number in range(4, 11)), "fp"),
    back=2,
    by_frame_pointer=_by_frame_pointer,
    keeps_sp=for_a_leaf,
    is_code=any_word,
    guess=no_guess,
    aliases={"r11": "fp", "r13": "sp", "r14": "lr", "r15": "pc", "sl": "r10", "ip": "r12"},
)
