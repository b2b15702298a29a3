"""Where inputs begin: what the tests write, what lies beside the project, and findings of earlier runs."""

from __future__ import annotations

import gzip
import lzma
from functools import cache
from pathlib import Path

from tests.engine.shared_fixtures import SHARED

FIXTURES = Path(__file__).parents[1] / "tests/fixtures"
CORPUS = Path(__file__).parent / "corpus"
# Small inputs are bent where it matters, and many of them are tried.
MOST_BYTES = 128 << 10


@cache
def files(*patterns: str, most: int = MOST_BYTES) -> tuple[bytes, ...]:
    """The files of the tests that match and are small, unpacked where they are packed, in the order of their names."""
    return _below(FIXTURES, patterns, most)


@cache
def shared(*patterns: str, most: int = MOST_BYTES) -> tuple[bytes, ...]:
    """As `files`, of what lies beside the project; nothing where that is absent."""
    return _below(SHARED / "fixtures", patterns, most)


@cache
def corpus(name: str) -> tuple[bytes, ...]:
    """What earlier runs found for a target, as committed."""
    return _below(CORPUS / name, ("*",), MOST_BYTES)


def _below(place: Path, patterns: tuple[str, ...], most: int) -> tuple[bytes, ...]:
    paths = sorted({path for pattern in patterns for path in place.glob(pattern) if path.is_file()})
    contents = (_unpacked(path) for path in paths if path.stat().st_size <= most)
    return tuple(data for data in contents if len(data) <= most)


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    return gzip.decompress(data) if path.suffix == ".gz" and data.startswith(b"\x1f\x8b") else data
