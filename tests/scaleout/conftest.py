"""One installation for all tests here: they go to one process of xdist."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scaleout.cluster import Cluster, running


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("scaleout")) as made:
        yield made


@pytest.fixture
def cluster(installation: Cluster) -> Cluster:
    """With all hosts up, whatever the test before did."""
    installation.heal()
    return installation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.e2e)
