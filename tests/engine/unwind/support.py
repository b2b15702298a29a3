"""Walking in tests: a book over files or texts, a driver that meets needs, and images of stacks."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from symbolic import Archive, Object, SymCache

from engine.formats.cfi import CfiIndex, build_index
from engine.minidump import Cpu, Minidump, Os, Region, Registers
from engine.unwind import MISSING_YET, ModuleMap, ModuleRules, Need, RuleBudget, Walk, walk

BUDGET = RuleBudget()
_ARCHIVES: list[tuple[Archive, bytes]] = []
SYSTEM_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")


def rules_of(text: str | bytes, budget: RuleBudget = BUDGET) -> ModuleRules:
    """The rules that Breakpad's text states."""
    target = BytesIO()
    build_index(text.encode() if isinstance(text, str) else text, target)
    return ModuleRules(CfiIndex.open(target.getvalue()), budget)


@lru_cache(None)
def rules_of_file(path: Path) -> ModuleRules:
    return rules_of(bytes(opened(path).make_cficache().open_stream().read()))


@lru_cache(None)
def symbols_of_file(path: Path) -> SymCache:
    return opened(path).make_symcache()


@lru_cache(None)
def opened(path: Path) -> Object:
    """The first object of a file, which may be compressed with gzip. Objects look into the bytes of their archive."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    archive = Archive.from_bytes(data)
    _ARCHIVES.append((archive, data))
    return next(archive.iter_objects())


@dataclass
class Book:
    """What is known of modules. Everything has to be asked for once; what was asked for is recorded."""

    rules_by_module: Mapping[int, ModuleRules] = field(default_factory=dict)
    symbols: Callable[[int, int], bool] = lambda module, relative: True
    met: list[Need] = field(default_factory=list)

    def rules(self, module: int):
        return self.rules_by_module.get(module) if Need("cfi", module) in self.met else MISSING_YET

    def has_symbol(self, module: int, relative: int):
        return self.symbols(module, relative) if Need("symcache", module) in self.met else MISSING_YET


def file_book(dump: Minidump, files: Mapping[str, Path]) -> Book:
    """A book of a dump's modules; `files` by the last component of the module's name."""
    paths = {at: files.get(name) for at, name in enumerate(names(dump))}
    rules = {at: rules_of_file(path) for at, path in paths.items() if path is not None}

    def has_symbol(module: int, relative: int) -> bool:
        path = paths[module]
        return path is None or bool(symbols_of_file(path).lookup(relative))

    return Book(rules, has_symbol)


def names(dump: Minidump) -> list[str]:
    return [module.name.replace("\\", "/").rpartition("/")[2] for module in dump.modules]


def drive(walking, book: Book) -> Walk:
    """Meet every need at once."""
    try:
        while True:
            need = next(walking)
            assert need not in book.met, "asked again for what is known"
            book.met.append(need)
    except StopIteration as stopped:
        return stopped.value


def walk_dump(dump: Minidump, files: Mapping[str, Path]) -> list[Walk | None]:
    """The stacks of all threads, None for those without registers."""
    book, modules = file_book(dump, files), ModuleMap(dump.modules)
    starts = [dump.start(thread) for thread in dump.threads]
    return [
        drive(walk(start.registers, start.stack, dump.memory, modules, book, dump.system.os), book)
        if start.registers is not None
        else None
        for start in starts
    ]


def found(walked: Walk | None) -> list[tuple[int, str]]:
    return [] if walked is None else [(frame.address, frame.trust.value) for frame in walked.frames]


@dataclass(frozen=True)
class Module:
    """A module in memory."""

    base: int
    size: int


@dataclass(frozen=True)
class Regions:
    """Memory of a process that was made up."""

    regions: tuple[Region, ...] = ()

    def find(self, address: int) -> Region | None:
        return next((region for region in self.regions if address in region), None)


def words(start: int, values: Iterable[int], width: int = 8) -> Region:
    """Memory that holds these words one after another."""
    mask = (1 << 8 * width) - 1
    return Region(start, memoryview(b"".join((value & mask).to_bytes(width, "little") for value in values)))


STACK = 0x7000_0000
CODE = 0x40_0000
MODULES = (Module(CODE, 0x10000), Module(0x60_0000, 0x10000))


@dataclass
class Machine:
    """A process that was made up: its modules lie at CODE and at 0x600000, its stack at STACK."""

    cpu: Cpu = Cpu.X86_64
    os: Os = Os.LINUX
    texts: Mapping[int, str] = field(default_factory=dict)
    symbols: Callable[[int, int], bool] = lambda module, relative: True
    modules: tuple[Module, ...] = MODULES
    elsewhere: tuple[Region, ...] = ()

    def walk(self, registers: Mapping[str, int], stack: Iterable[int] | Region, limit: int = 256) -> Walk:
        """Walk from these registers over a stack of these words."""
        width = 4 if self.cpu.is_narrow else 8
        region = stack if isinstance(stack, Region) else words(STACK, stack, width)
        book = Book({module: rules_of(text) for module, text in self.texts.items()}, self.symbols)
        start = Registers(self.cpu, dict(registers))
        memory = Regions((region, *self.elsewhere))
        walking = walk(start, region, memory, ModuleMap(self.modules), book, self.os, limit=limit)
        return drive(walking, book)
