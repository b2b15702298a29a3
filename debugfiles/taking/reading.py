"""What symbols and source maps have in common: bounds, the turn of an upload, a look at its first bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.api import ApiError
from core.blobs import Incoming, blob_store
from core.database import release
from debugfiles.archives import HEAD_BYTES, READABLE, Bounds, Candidate, is_archive, unreadable
from debugfiles.identify import Upload, shown_name
from debugfiles.receiving import max_upload_bytes
from engine.native.gate import Gate

# Unpacking takes up to 200 MB of memory, so a process does not do much of it at once.
_AT_ONCE: Final = 4
_TIMES_LARGER: Final = 4


class _Turn:
    """The gate in front of unpacking, in each process its own."""

    gate = Gate(_AT_ONCE)


def bounds() -> Bounds:
    """What an archive may cost here."""
    return Bounds(total=_TIMES_LARGER * max_upload_bytes())


@contextmanager
def my_turn() -> Iterator[None]:
    """Waits, without a database connection, until it is this upload's turn to be unpacked."""
    release()
    with _Turn.gate:
        yield


def holds_archive(upload: Upload) -> bool:
    """Whether an upload is an archive or packed. Raises ApiError (400) naming a kind that is not readable here."""
    with open(upload.incoming.path, "rb") as file:
        head = file.read(HEAD_BYTES)
    kind = unreadable(head)
    if kind is not None:
        message = f"{shown_name(upload.name)}: {kind}, which is not readable here; send {READABLE}"
        raise ApiError(message, code="unreadable_archive", field="file")
    return is_archive(head)


@contextmanager
def spooled(candidate: Candidate) -> Iterator[Incoming]:
    """A member as a file of its own. Raises FormatError, ArchiveRefused and BlobError (too large, no room)."""
    with blob_store().incoming(max_upload_bytes()) as incoming:
        for piece in candidate.pieces:
            incoming.write(piece)
        incoming.finish()
        yield incoming


def _new_gate() -> None:
    _Turn.gate = Gate(_AT_ONCE)


os.register_at_fork(after_in_child=_new_gate)
