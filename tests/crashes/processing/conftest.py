from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings

from crashes.processing import claims, working
from crashes.reports import Outcome
from tests.crashes.processing.crashes import FACTS, RESULT, Examine

Setter = Callable[..., None]


@pytest.fixture
def processing(monkeypatch: pytest.MonkeyPatch) -> Setter:
    """Set the settings of processing for a test."""

    def change(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setitem(settings.ENVIRONMENT, name, value)

    return change


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, processing: Setter) -> None:
    """A process that has served nobody, of an installation that has three."""
    monkeypatch.setattr(claims, "_turns", claims._Turns())
    processing(CRASH_WORKERS=3, CRASHES_AT_ONCE=None)


@pytest.fixture
def examining(monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Have something else happen when a report is looked into; what it returns is the outcome, None an ordinary one."""

    def become(happens: Callable[[], object]) -> None:
        monkeypatch.setattr(working, "examine", lambda *_: happens() or Outcome(RESULT, FACTS, ()))

    become(lambda: None)
    return become
