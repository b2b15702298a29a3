"""The engine of the tests of whole requests, for crash reports."""

from __future__ import annotations

from tests.engine.run.conftest import engine, source, store  # noqa: F401 - pytest finds fixtures by name
