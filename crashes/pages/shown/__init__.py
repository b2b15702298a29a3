"""A result as a page shows it, wherever it comes from: stored with a crash, or made just now and stored nowhere."""

from crashes.pages.shown.building import show
from crashes.pages.shown.model import ShownFrame, ShownModule, ShownResult, ShownThread

__all__ = ["ShownFrame", "ShownModule", "ShownResult", "ShownThread", "show"]
