"""From registers and stack memory to frames."""

from engine.unwind.model import MISSING_YET, Book, Ended, Need, Trust, Walk, WalkedFrame
from engine.unwind.module_map import ModuleMap
from engine.unwind.module_rules import ModuleRules, RuleBudget
from engine.unwind.opened import OpenCfis
from engine.unwind.walker import walk

__all__ = [
    "MISSING_YET",
    "Book",
    "Ended",
    "ModuleMap",
    "ModuleRules",
    "Need",
    "OpenCfis",
    "RuleBudget",
    "Trust",
    "Walk",
    "WalkedFrame",
    "walk",
]
