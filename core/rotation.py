"""Who else keeps secrets: rooms above register how theirs come under the newest key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

# Puts all secrets of its kind under the newest key, reports what cannot be read in words, and says how many there were.
Rotation = Callable[[Callable[[str], None]], int]

_rotations: Final[dict[str, Rotation]] = {}


def register_rotation(name: str, rotation: Rotation) -> None:
    """Have `manage.py rotate_secrets` rotate what is called `name` too."""
    _rotations[name] = rotation


def rotations() -> dict[str, Rotation]:
    """All that are registered, by name."""
    return dict(_rotations)
