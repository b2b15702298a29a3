"""Uploads of one file or of an archive of many: what is of use is stored, of everything else it is said why not."""

from debugfiles.taking.outcome import Outcome
from debugfiles.taking.source_maps import take_source_maps
from debugfiles.taking.symbols import take_symbols

__all__ = ["Outcome", "take_source_maps", "take_symbols"]
