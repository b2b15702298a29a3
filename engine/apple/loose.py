"""Parts of a JSON document whose fields may be absent or of any type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

Loose: TypeAlias = Mapping[str, object]
_MASK = (1 << 64) - 1
_NOTHING: Loose = {}


def text(of: Loose, key: str) -> str | None:
    """A text that is not empty; None for anything else."""
    found = of.get(key)
    return found if isinstance(found, str) and found else None


def number(of: Loose, key: str) -> int | None:
    """A whole number, cut to 64 bits; None for anything else."""
    found = of.get(key)
    return found & _MASK if isinstance(found, int) and not isinstance(found, bool) else None


def inner(of: Loose, key: str) -> Loose:
    """An object; an empty one for anything else."""
    return as_object(of.get(key))


def as_object(found: object) -> Loose:
    return found if isinstance(found, dict) else _NOTHING


def objects(of: Loose, key: str) -> Iterator[Loose]:
    """The entries of a list, those that are no objects as empty ones, so that positions stay."""
    found = of.get(key)
    return (as_object(entry) for entry in found) if isinstance(found, list) else iter(())


def texts(of: Loose, key: str) -> list[str]:
    """The texts in a list."""
    found = of.get(key)
    return [entry for entry in found if isinstance(entry, str)] if isinstance(found, list) else []
