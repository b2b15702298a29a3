"""Programs that some tests run: where one is absent its tests are skipped, or fail where SYMBOLSVC_REQUIRE says so."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    return found or lacking(f"needs {' or '.join(names)}")


def lacking(reason: str) -> NoReturn:
    """Skip the test; fail where nothing may be lacking."""
    if os.environ.get("SYMBOLSVC_REQUIRE") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
