"""Which tests go to one process of xdist, as a pytest plugin: those that share what takes long to start.

The library's own groups are told by a suffix of a test's name, which newer versions of pytest do not take any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = (
    "tests/browser/",
    "tests/engine/javascript/test_large_maps.py",
    "tests/engine/javascript/test_real_builds.py",
    "tests/faults/test_hanging_symbol_server.py",
    "tests/running/test_up.py",
    "tests/scaleout/",
)


def group_of(name: str) -> str:
    """What the tests have in common that are to stay together: their folder or file, else nothing but the test."""
    return next((place for place in TOGETHER if name.startswith(place)), name)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Scheduling(config, log)  # type: ignore[arg-type]
