"""Files of other projects that these tests read where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[4] / "shared"


@pytest.fixture(scope="session")
def symbolic_files() -> Path:
    """The test files of `symbolic`: beside the repository, or in the folder that SYMBOLSVC_SHARED names."""
    folder = Path(os.environ.get("SYMBOLSVC_SHARED", BESIDE_THE_REPOSITORY)) / "fixtures" / "peers" / "symbolic"
    if not folder.is_dir():
        pytest.skip(f"the test files of symbolic are not at {folder}")
    return folder
