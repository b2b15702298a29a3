"""Background jobs, on the same PostgreSQL. The row is the truth, the job a hint."""

from __future__ import annotations

from typing import Any

from procrastinate import App


def on_app_ready(app: App) -> None:
    """Called once with the finished app."""
