"""Stores of fetched files that take their converter along when they go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.lookup import Store


@contextmanager
def store_in(directory: Path) -> Iterator[Store]:
    made = Store(directory, max_download_bytes=50 * 1024**2)
    try:
        yield made
    finally:
        own = made.converter._own
        if own is not None:
            own.kill()
            own.wait()
