"""Files that lie beside the project and are not part of it: tests that need them skip where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("SYMBOLSVC_SHARED") or Path(__file__).parents[3] / "shared")


def shared(path: str) -> Path:
    """A file below the shared directory; skips the test where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"needs {path} of the shared directory; set SYMBOLSVC_SHARED to where it lies")
    return found
