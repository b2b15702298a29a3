"""Minidumps as clients of Sentry send them: at times packed once more by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from core.blobs import Incoming
from core.wire.coding import unpacked
from crashes.answers import Refusal
from crashes.sentry.answers import BadReport
from crashes.submission.kinds import examined

DUMP_NAME: Final = "minidump.dmp"
_PACKINGS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_LONGEST_MAGIC: Final = 4


def keep_dump(pieces: Iterable[bytes], incoming: Incoming) -> Incoming:
    """Write a dump to `incoming`, unpacked. Raises BadReport (400) for what is none, BodyError and BlobError."""
    for piece in _plain(iter(pieces)):
        incoming.write(piece)
    incoming.finish()
    demand_dump(incoming.path)
    return incoming


def packing_of(path: Path) -> str:
    """How the file is packed, as a Content-Encoding; empty for a file that is not."""
    with path.open("rb") as file:
        return _packing(file.read(_LONGEST_MAGIC))


def demand_dump(path: Path) -> None:
    """Raises BadReport (400) unless the file begins as a dump does."""
    try:
        examined("minidump", path)
    except Refusal as error:
        raise BadReport(error.message) from None


def _plain(pieces: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    while len(head) < _LONGEST_MAGIC and (piece := next(pieces, b"")):
        head += piece
    return unpacked(chain([head], pieces), _packing(head))


def _packing(head: bytes) -> str:
    return next((name for magic, name in _PACKINGS.items() if head.startswith(magic)), "")
