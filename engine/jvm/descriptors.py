"""Descriptors of the Java virtual machine (JVMS 4.3): `(La/b;[I)V`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_PRIMITIVES = {
    "B": "byte", "C": "char", "D": "double", "F": "float", "I": "int", "J": "long", "S": "short", "Z": "boolean",
    "V": "void",
}  # fmt: skip
LONGEST = 64 * 1024
_MOST_DIMENSIONS = 255


@dataclass(frozen=True, slots=True)
class Signature:
    """The types that a method takes and returns, as they are written in Java."""

    parameters: tuple[str, ...]
    returns: str

    @property
    def key(self) -> str:
        """The parameters as mapping files write them."""
        return ",".join(self.parameters)

    def __str__(self) -> str:
        """`(int, java.lang.String): boolean`; nothing is said of a method that returns nothing."""
        returned = "" if self.returns == "void" else f": {self.returns}"
        return f"({', '.join(self.parameters)}){returned}"


def parse_signature(text: str, original: Callable[[str], str | None]) -> Signature | None:
    """Read a method's descriptor, with the names of classes as they were written; None when it is none.

    `original` gives the written name of an obfuscated class, None for one it does not know.
    """
    if not text.startswith("(") or len(text) > LONGEST:
        return None
    inside, closing, rest = text[1:].partition(")")
    parameters = _types(inside, original)
    returned = _types(rest, original)
    if not closing or parameters is None or returned is None or len(returned) != 1 or "void" in parameters:
        return None
    return Signature(tuple(parameters), returned[0])


def _types(text: str, original: Callable[[str], str | None]) -> list[str] | None:
    found, at = [], 0
    while at < len(text):
        dimensions = at
        while at < len(text) and text[at] == "[":
            at += 1
        dimensions = at - dimensions
        if at == len(text) or dimensions > _MOST_DIMENSIONS:
            return None
        name, at = _type(text, at, original)
        if name is None:
            return None
        found.append(name + "[]" * dimensions)
    return found


def _type(text: str, at: int, original: Callable[[str], str | None]) -> tuple[str | None, int]:
    if text[at] != "L":
        return _PRIMITIVES.get(text[at]), at + 1
    end = text.find(";", at)
    if end <= at + 1:
        return None, at
    name = text[at + 1 : end].replace("/", ".")
    return original(name) or name, end + 1


def descriptor_of(dotted: str) -> str:
    """The descriptor of a class by its dotted name."""
    return f"L{dotted.replace('.', '/')};"
