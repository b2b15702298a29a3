"""The last method: looking through the stack for what may be a return address."""

from __future__ import annotations

from collections.abc import Generator

from engine.unwind.cpus import Scene, Values
from engine.unwind.model import Book, Need, Pending, Trust
from engine.unwind.module_map import ModuleMap
from engine.unwind.module_rules import ModuleRules

_FEW_WORDS = 40
_MANY_WORDS = 160


def scan(
    registers: Values, trust: Trust, scene: Scene, modules: ModuleMap, book: Book
) -> Generator[Need, None, Values | None]:
    """The caller by the first word above the stack pointer that is plausible as a return address.

    More words are tried above a frame that is sure. What has to be known of a module for that is asked for.
    """
    cpu, start = scene.cpu, registers[scene.cpu.sp]
    count = _MANY_WORDS if trust in (Trust.CONTEXT, Trust.CFI) else _FEW_WORDS
    lowest, highest = modules.lowest, modules.highest
    for at, word in enumerate(scene.stack.ahead(start, count)):
        value = word & scene.pointer_mask
        if not lowest < value <= highest or not cpu.is_code(value):
            continue
        module = modules.find(value - 1)
        if module is None or not (yield from _accept(module, value - 1 - modules.bases[module], book)):
            continue
        place = start + at * cpu.width
        return {cpu.pc: value, cpu.sp: place + cpu.width, **cpu.guess(registers, place, scene)}
    return None


def _accept(module: int, relative: int, book: Book) -> Generator[Need, None, bool]:
    """Whether unwind information or symbols have something there; a module without either is given the benefit."""
    rules = yield from wait_for_rules(module, book)
    if rules is None or rules.is_empty or rules.covers(relative):
        return True
    while (known := book.has_symbol(module, relative)) is Pending.MISSING_YET:
        yield Need("symcache", module)
    return known


def wait_for_rules(module: int, book: Book) -> Generator[Need, None, ModuleRules | None]:
    """The rules of a module, asked for until the book has them."""
    while (rules := book.rules(module)) is Pending.MISSING_YET:
        yield Need("cfi", module)
    return rules
