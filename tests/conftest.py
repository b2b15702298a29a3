"""Fixtures that every room's tests use."""

from __future__ import annotations

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
