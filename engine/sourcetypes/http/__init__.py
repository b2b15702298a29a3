"""Symbol servers that are asked by plain GET requests."""

from engine.sourcetypes.http.source import HttpSource

__all__ = ["HttpSource"]
