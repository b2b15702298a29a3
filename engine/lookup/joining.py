"""One record of the tries of several lookups for one module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.lookup.model import Candidate, DownloadStatus


def join_candidates(debug_rows: Sequence[Candidate], unwind_rows: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The tries of the lookups for names and for unwinding: one row per source and location, sorted by both.

    A row says both uses of its file. When the lookups saw different things, the one that had the file is believed.
    """
    joined: dict[tuple[str, str], Candidate] = {}
    for row in (*debug_rows, *unwind_rows):
        key = (row.source, row.location)
        known = joined.get(key)
        joined[key] = row if known is None else _joined(known, row)
    return tuple(joined[key] for key in sorted(joined))


def _joined(first: Candidate, second: Candidate) -> Candidate:
    had = first.download.status is DownloadStatus.OK or second.download.status is not DownloadStatus.OK
    believed = first if had else second
    return replace(believed, debug=first.debug or second.debug, unwind=first.unwind or second.unwind)
