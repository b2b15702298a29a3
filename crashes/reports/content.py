"""The bytes of a report, from wherever blobs lie."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core.blobs import blob_store
from crashes.models import Crash
from engine.formats.bytewise import mapped
from engine.outgoing import Deadline
from symbolication.crash_files import spool

# Reports in JSON are read as a whole.
MOST_JSON_BYTES: Final = 64 << 20


@contextmanager
def content_of(crash: Crash, deadline: Deadline) -> Iterator[memoryview]:
    """The report as it came, mapped from disk. Raises BlobError, OSError and DeadlineExceeded."""
    path = blob_store().local_path(crash.blob_key)
    if path is not None:
        with open(path, "rb") as file:
            yield mapped(file)
        return
    place = spool()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=place, prefix="report-") as file:
        for piece in blob_store().pieces(crash.blob_key, deadline=deadline):
            file.write(piece)
        yield mapped(file)
