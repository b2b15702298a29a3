"""The unwind tables of 32-bit ARM, as text of Breakpad's kind."""

from engine.formats.exidx.gaps import Span
from engine.formats.exidx.tables import exidx_text, has_exidx

__all__ = ["Span", "exidx_text", "has_exidx"]
