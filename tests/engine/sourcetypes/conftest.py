"""What one test does to loopback is not held against it in the next one."""

from __future__ import annotations

import pytest

from engine.sourcetypes.blocked import blocked_hosts


@pytest.fixture(autouse=True)
def nobody_is_blocked():
    yield
    blocked_hosts._hosts.clear()
