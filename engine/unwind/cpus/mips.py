"""MIPS: unwind information and scanning, there is no frame pointer to rely on."""

from __future__ import annotations

from engine.unwind.cpus.base import CpuModel, any_word, for_a_leaf, no_frame_pointer, no_guess

_ALIASES = {
    "s8": "fp",
    **{str(16 + number): f"s{number}" for number in range(8)},
    "28": "gp",
    "29": "sp",
    "30": "fp",
    "31": "ra",
}


def _model(name: str, width: int) -> CpuModel:
    return CpuModel(
        name=name,
        width=width,
        pc="pc",
        sp="sp",
        saved=(*(f"s{number}" for number in range(8)), "gp", "fp"),
        # A call is followed by its delay slot.
        back=8,
        by_frame_pointer=no_frame_pointer,
        keeps_sp=for_a_leaf,
        is_code=any_word,
        guess=no_guess,
        aliases=_ALIASES,
    )


MIPS = _model("mips", 4)
MIPS64 = _model("mips64", 8)
