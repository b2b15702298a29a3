"""Where a process keeps what it looked up, and who converts for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Store:
    """The cache directory, the converter, and the greatest size in bytes of a downloaded file.

    Without `converter_socket`, or when nobody answers there, a converter is started on first use and ends with this
    process.
    """

    cache_dir: Path
    converter_socket: Path | None = None
    max_download_bytes: int = 15 * 1024**3
