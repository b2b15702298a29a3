"""What a mapping file says about a class and its methods.

Lines are 1-based; 0 stands for "none". Classes are dotted names. "Obfuscated" is what runs, "original" is what was
written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Range:
    """Lines from `start` to `end`, both included."""

    start: int
    end: int

    def __contains__(self, line: int) -> bool:
        return self.start <= line <= self.end


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Drop so many of the innermost frames when the exception is of one of the types.

    `throws` are descriptors such as `Ljava/lang/NullPointerException;`, all of which must be that of the exception.
    """

    throws: tuple[str, ...]
    remove_inner: int


@dataclass(frozen=True, slots=True)
class Callsite:
    """Where an outlined piece of code was taken from: lines of the method by lines of the outline."""

    positions: Mapping[int, int]


@dataclass(slots=True)
class Entry:
    """One line about a method: what `obfuscated` stands for, at the lines `minified` or anywhere.

    `original` are the lines that were written; None where the line tells none. `owner` is another class that the method
    was written in, None for the class that the line stands under. Filled while the remarks below it are read.
    """

    obfuscated: str
    name: str
    owner: str | None
    parameters: str
    returns: str
    minified: Range | None
    original: Range | None
    synthesized: bool = False
    outline: bool = False
    callsites: list[Callsite] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)

    def line_at(self, line: int) -> int:
        """The original line for a line of what runs."""
        if self.original is None:
            return line
        if self.minified is None or self.original.start == self.original.end:
            return self.original.start
        return self.original.start + line - self.minified.start


@dataclass(frozen=True, slots=True)
class ClassMapping:
    """A class and its methods by obfuscated name, each with its entries in the order of the file."""

    original: str
    source_file: str | None
    methods: Mapping[str, tuple[Entry, ...]]
