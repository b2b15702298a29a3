"""A converter that ends with the tests."""

from __future__ import annotations

import pytest

from debugfiles.inspecting import converter


@pytest.fixture(scope="session", autouse=True)
def _converter():
    yield
    if converter.cache_info().currsize and converter()._own is not None:
        converter()._own.kill()
        converter()._own.wait()
