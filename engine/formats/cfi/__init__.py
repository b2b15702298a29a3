"""Unwind rules as Breakpad's text writes them, with an index in front that is searched without reading the text."""

from engine.formats.cfi.build import build_index
from engine.formats.cfi.index import CfiIndex
from engine.formats.cfi.records import WinRecord

__all__ = ["CfiIndex", "WinRecord", "build_index"]
