from __future__ import annotations

import os

import pytest

from tests.symbolication.conftest import environment, server  # noqa: F401 - pytest finds fixtures by name


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch):
    """Nothing here is about surviving a power cut, and uploads wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
