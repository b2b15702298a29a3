"""What a cached file belongs to, and selections of such files."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.errors import SymbolsvcError
from engine.modules import DebugId, parse_code_id
from engine.owners import OWNER_DIGITS, owner_tag

_UUID_LENGTH = 36


class BadSelection(SymbolsvcError):
    """What is to be selected names no file."""

    code = "bad_selection"


class Labels(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which source a file was fetched from (public id and cache key), for which scope and which module."""

    source: str
    source_key: str
    scope: str
    debug_id: str = ""
    code_id: str = ""

    @property
    def owner(self) -> str:
        """The tag of the source's owner."""
        return self.source_key[:OWNER_DIGITS]

    @property
    def ids(self) -> set[str]:
        """All forms in which the module can be named."""
        return {self.debug_id, self.debug_id[:_UUID_LENGTH], self.code_id} - {""}


class Selection(msgspec.Struct, frozen=True, omit_defaults=True):
    """The files of an owner (by its tag; empty: of everybody), of some sources, and of one module.

    `sources` are public ids, None for all. `ids` are canonical ids of which one has to fit, empty for every module.
    """

    owner: str = ""
    sources: tuple[str, ...] | None = None
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, *, owner: str = "", sources: Any = None, module: str = "") -> Selection:
        """`owner` as sources are opened for, `module` as a debug id or a code id in any form. Raises BadSelection."""
        ids = _ids(module) if module else ()
        if module and not ids:
            raise BadSelection("neither a debug id nor a code id")
        return cls(owner_tag(owner) if owner else "", None if sources is None else tuple(sorted(sources)), ids)

    @property
    def everything(self) -> bool:
        return not self.owner and self.sources is None and not self.ids

    def matches(self, labels: Labels) -> bool:
        """Whether a file with these labels is selected."""
        return (
            (not self.owner or self.owner == labels.owner)
            and (self.sources is None or labels.source in self.sources)
            and (not self.ids or not labels.ids.isdisjoint(self.ids))
        )


def _ids(text: str) -> tuple[str, ...]:
    debug_id = DebugId.parse(text.strip())
    code_id = parse_code_id(text) if len(text.strip().replace("-", "")) >= 8 else None
    plain = code_id if code_id == text.strip().replace("-", "").lower() else None
    return tuple(sorted({found for found in (str(debug_id) if debug_id else None, plain) if found}))
