"""A converter that ends with the tests."""

from __future__ import annotations

import os

import pytest

from debugfiles.inspecting import converter


@pytest.fixture(scope="session", autouse=True)
def _converter():
    yield
    if converter.cache_info().currsize and converter()._own is not None:
        converter()._own.kill()
        converter()._own.wait()


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch):
    """Nothing here is about surviving a power cut (tests/core is), and hundreds of small uploads wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
