"""Crash reports: what is taken in, and for how long it is kept."""

from __future__ import annotations

from typing import Final

from symbolsvc.environment.kinds import Setting

CRASHES: Final[tuple[Setting, ...]] = ()
