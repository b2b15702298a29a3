from __future__ import annotations

import pytest

from tests.cast import make_token
from tests.debugfiles.conftest import _converter  # noqa: F401 - pytest finds fixtures by name
from tests.symbolication.conftest import environment  # noqa: F401 - pytest finds fixtures by name


@pytest.fixture
def blobs(settings, tmp_path):
    """A store of uploads for one test."""
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def token(acme):
    """Reads symbols and nothing else."""
    return make_token(acme, scopes=["symbols:read"])
