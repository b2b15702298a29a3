"""A converter of one's own for every test."""

from __future__ import annotations

import pytest

from engine.convert.client import Converter


@pytest.fixture
def converter(tmp_path):
    made = Converter(None, name=str(tmp_path))
    yield made
    if made._own is not None:
        made._own.kill()
        made._own.wait()
