"""Reading the DWARF unwind tables of ELF files ourselves, entry by entry: a bad one costs itself and no other."""

from engine.formats.eh_frame.in_place import EhFrameIndex
from engine.formats.eh_frame.tables import has_unwind_tables, signal_text, unwind_text

__all__ = ["EhFrameIndex", "has_unwind_tables", "signal_text", "unwind_text"]
