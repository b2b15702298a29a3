"""Debug ids, code ids and the modules of a process: which module covers an address."""

from __future__ import annotations

import re
import uuid
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from operator import attrgetter
from typing import NamedTuple

_HEX = re.compile(r"\A[0-9a-fA-F]+\Z")
_NOT_HEX = re.compile(r"[^0-9a-fA-F]")


class ModuleType(StrEnum):
    ELF = "elf"
    MACHO = "macho"
    PE = "pe"
    PE_DOTNET = "pe_dotnet"
    WASM = "wasm"
    UNKNOWN = "unknown"

    @classmethod
    def parse(cls, text: str) -> ModuleType:
        """Any text that is not a known type counts as unknown; there are no aliases."""
        try:
            return cls(text)
        except ValueError:
            return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class DebugId:
    """The id of a debug file: a UUID and an age (`appendix`, 32 bits)."""

    uuid: uuid.UUID
    appendix: int = 0

    @classmethod
    def parse(cls, text: str) -> DebugId | None:
        """Read the forms that crash reporters write; None for anything else.

        32 hex digits with or without dashes, followed by an optional age: `-1f` or directly as Breakpad writes it.
        40 plain digits are a UUID and an age of 8 digits.
        """
        dashed = len(text) >= 36 and text[8:24:5] == "----"
        plain = text[:36].replace("-", "") if dashed else text[:32]
        rest = text[36:] if dashed else text[32:]
        rest = rest.removeprefix("-")
        if len(plain) != 32 or not _HEX.match(plain) or len(rest) > 8 or (rest and not _HEX.match(rest)):
            return None
        return cls(uuid.UUID(hex=plain), int(rest, 16) if rest else 0)

    def __str__(self) -> str:
        """The canonical form: `uuid` or `uuid-age`, lower case."""
        return f"{self.uuid}-{self.appendix:x}" if self.appendix else str(self.uuid)

    @property
    def breakpad(self) -> str:
        """The form of Breakpad and symstore paths: 32 upper-case digits and the age in lower-case hex."""
        return f"{self.uuid.hex.upper()}{self.appendix:x}"


def parse_code_id(text: str) -> str | None:
    """Lower-case hex digits of a code id, everything else dropped; None when nothing is left."""
    return _NOT_HEX.sub("", text).lower() or None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What identifies the files of one module, as far as the report says it."""

    type: ModuleType
    code_id: str | None = None
    code_file: str | None = None
    debug_id: DebugId | None = None
    debug_file: str | None = None
    debug_checksum: str | None = None


class Span(NamedTuple):
    """Where one module lies: its index in the report, and absolute addresses in bytes; `size` 0 means unknown."""

    module: int
    start: int
    size: int


_START = attrgetter("start")


class AddressMap:
    """Answers which module covers an absolute address.

    `bounds` cuts the address space into pieces and `owners` has one entry more: the piece below the first bound, and
    so on. Callers with many addresses bisect `bounds` themselves.
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        ordered = sorted(spans, key=_START)
        bounds: list[int] = []
        owners: list[Span | None] = [None]
        for span, after in zip_longest(ordered, [span.start for span in ordered[1:]]):
            _, start, size = span
            bounds.append(start)
            owners.append(span)
            end = start + size + 1
            if size and (after is None or end < after):
                bounds.append(end)
                owners.append(None)
        self.bounds = bounds
        self.owners = owners

    def find(self, address: int) -> Span | None:
        """The module with the greatest start at or below `address`, if it reaches that far.

        The end is inclusive; a module of unknown size is open ended. Of modules with one start the last one counts.
        """
        return self.owners[bisect_right(self.bounds, address)]


def fill_sizes(spans: Sequence[Span]) -> list[Span]:
    """Give every span of unknown size the distance to the next one by address; the last one stays as it is.

    The order of the answer is the order of `spans`.
    """
    if all(span.size for span in spans):
        return list(spans)
    ordered = sorted(spans, key=lambda span: span.start)
    filled = {span.module: span for span in spans}
    for span, after in zip(ordered, ordered[1:], strict=False):
        if not span.size:
            filled[span.module] = Span(span.module, span.start, after.start - span.start)
    return [filled[span.module] for span in spans]
