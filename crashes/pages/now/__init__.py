"""Symbolicate now: what somebody pastes or drops is symbolicated at once, shown, and stored nowhere."""

from projects.pages import Tab, register_tab


def register() -> None:
    """Show the tab."""
    register_tab(Tab("Symbolicate", "crash_pages:now", ("symbolicate:post",), place=50))
