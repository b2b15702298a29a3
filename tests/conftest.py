"""Fixtures that every room's tests use."""

from __future__ import annotations

import os

import hypothesis
import pytest
from django.conf import settings
from django.db import connection

from tests import emptying, serving
from tests.cast import (  # noqa: F401 - pytest finds fixtures by name
    acme,
    acme_project,
    admin,
    member,
    owner,
    stranger,
    umbrella,
    umbrella_project,
)
from tests.database import TEMPLATE
from tests.service import pytest_collection_modifyitems, service  # noqa: F401


def pytest_configure() -> None:
    # How fast a machine is under load is no property of the code.
    hypothesis.settings.register_profile(
        "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("house")
    emptying.install()
    serving.install()
    if template := os.environ.get(TEMPLATE):
        connection.settings_dict["TEST"]["TEMPLATE"] = template
    # The real hasher is slow on purpose, which hundreds of tests with users of their own need not feel.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _no_statistics_in_the_background() -> None:
    """What is counted of sources is written when a test says so, and by no thread into another test's database."""
    from sources.statistics import counting

    counting.on_begin(lambda: None)
