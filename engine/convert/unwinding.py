"""The converter's jobs that are about unwind rules."""

from __future__ import annotations

from symbolic.debuginfo import Archive

from engine.convert.wire import Converted, MakeCfi
from engine.formats.cfi import build_index


def make_cfi(request: MakeCfi) -> Converted:
    """Write rules and index. Raises SymbolicError and OSError."""
    rules = Archive.open(request.path)._get_object(request.index).make_cficache()
    with open(request.out, "r+b") as file:
        build_index(rules.open_stream().read(), file)
    return Converted()
