"""What x86 and x86-64 have in common: guessing the frame pointer of a frame that was met while scanning."""

from __future__ import annotations

from engine.unwind.cpus.base import Scene, Values

# A frame pointer further away than this is taken to be something else.
_FARTHEST = 128 * 1024


def guess_frame_pointer(registers: Values, place: int, scene: Scene, name: str) -> Values:
    """The caller's frame pointer when its return address lies at `place`.

    A function with a frame pointer pushes the caller's first: it is the word below. Otherwise the callee's may still
    be the caller's.
    """
    width = scene.cpu.width
    below = scene.stack.word(place - width)
    if below is not None and place < below <= place - width + _FARTHEST and scene.stack.word(below) is not None:
        return {name: below}
    current = registers.get(name)
    if current is not None and current >= place + width and scene.stack.word(current) is not None:
        return {name: current}
    return {}
