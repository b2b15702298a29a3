"""Modules, from a result to what a page shows of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from crashes.pages.shown.frames import base_name
from crashes.pages.shown.model import Mark, ShownModule
from crashes.pages.shown.why import why_of
from crashes.results import Module

_KINDS: Final = {
    "found": "good",
    "unused": "",
    "missing": "warn",
    "timeout": "warn",
    "fetching_failed": "bad",
    "malformed": "bad",
    "unsupported": "bad",
    "other": "bad",
}


def show_module(module: Module, index: int, used: Collection[int]) -> ShownModule:
    """A module; `used` are those that frames lie in."""
    path = module.code_file or module.debug_file or ""
    return ShownModule(
        index=index,
        name=base_name(path) or f"module {index + 1}",
        path=path,
        debug_file=base_name(module.debug_file),
        debug_id=module.debug_id or "",
        code_id=module.code_id or "",
        start=module.image_addr or "",
        size=module.image_size,
        marks=list(_marks(module)),
        why=why_of(module.diagnosis),
        used=index in used,
    )


def _marks(module: Module) -> Iterator[Mark]:
    for status, what in ((module.debug_status, "names"), (module.unwind_status, "unwind rules")):
        if status and status != "unused":
            words = status.replace("_", " ")
            yield Mark(f"{what}: {words}", _KINDS.get(status, "bad"))
