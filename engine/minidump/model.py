"""What a dump holds, as plain values. All addresses are absolute, all sizes are in bytes.

What comes in great numbers is a msgspec struct: made several times faster than a dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from engine.modules import DebugId, ModuleType


class Cpu(StrEnum):
    """The processor a process ran on; the values are those of the wire's `cpu_arch`."""

    X86 = "x86"
    X86_64 = "x86_64"
    ARM = "arm"
    ARM64 = "arm64"
    MIPS = "mips"
    MIPS64 = "mips64"
    PPC = "ppc"
    PPC64 = "ppc64"
    SPARC = "sparc"
    UNKNOWN = "unknown"

    @property
    def is_narrow(self) -> bool:
        """Whether addresses have 32 bits."""
        return self in _NARROW


class Os(StrEnum):
    """The operating system; the values are those of the wire's `os_name`."""

    WINDOWS = "Windows"
    MACOS = "macOS"
    IOS = "iOS"
    LINUX = "Linux"
    SOLARIS = "Solaris"
    ANDROID = "Android"
    PS3 = "PS3"
    NACL = "NaCl"
    UNKNOWN = ""

    @property
    def module_type(self) -> ModuleType:
        """The object files that programs of this system consist of."""
        return _MODULE_TYPES.get(self, ModuleType.UNKNOWN)

    @property
    def is_apple(self) -> bool:
        return self in (Os.MACOS, Os.IOS)


_NARROW = frozenset({Cpu.X86, Cpu.ARM, Cpu.MIPS, Cpu.PPC})
_MODULE_TYPES = {
    Os.WINDOWS: ModuleType.PE,
    Os.MACOS: ModuleType.MACHO,
    Os.IOS: ModuleType.MACHO,
    Os.LINUX: ModuleType.ELF,
    Os.ANDROID: ModuleType.ELF,
    Os.SOLARIS: ModuleType.ELF,
}
_PC = {Cpu.X86: "eip", Cpu.X86_64: "rip", Cpu.PPC: "srr0", Cpu.PPC64: "srr0"}
_SP = {Cpu.X86: "esp", Cpu.X86_64: "rsp", Cpu.PPC: "r1", Cpu.PPC64: "r1", Cpu.SPARC: "o6"}


class Registers(Struct, frozen=True):
    """The general registers of a thread, by name, in the order in which they are shown."""

    cpu: Cpu
    values: dict[str, int]

    @property
    def pc(self) -> int:
        """The program counter."""
        return self.values[_PC.get(self.cpu, "pc")]

    @property
    def sp(self) -> int:
        """The stack pointer."""
        return self.values[_SP.get(self.cpu, "sp")]


class Region(Struct, frozen=True):
    """A piece of the process's memory: its first address, and a view of the file, never a copy.

    `is_little` tells the byte order of the numbers in it, which is that of the dump.
    """

    start: int
    data: memoryview
    is_little: bool = True

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + len(self.data)

    def __contains__(self, address: int) -> bool:
        return self.start <= address < self.start + len(self.data)


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """Where the process ran. `version` is "major.minor.build", `build` free text, both as the wire shows them."""

    os: Os
    cpu: Cpu
    version: str
    build: str
    processors: int

    @property
    def os_name(self) -> str:
        return self.os.value


class DumpModule(Struct, frozen=True):
    """A module that was loaded. `name` is its full path; ids are None where the dump has none or only zeros.

    `number` is its place in the dump's own list, by which Crashpad's annotations refer to it.
    """

    base: int
    size: int
    name: str
    code_id: str | None
    debug_id: DebugId | None
    debug_file: str | None
    type: ModuleType
    version: str | None = None
    timestamp: int = 0
    checksum: int = 0
    number: int = 0

    @property
    def code_file(self) -> str:
        return self.name

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.base + self.size


class UnloadedModule(Struct, frozen=True):
    """A module that had been unloaded before the dump was written; others may lie at its addresses now."""

    base: int
    size: int
    name: str
    code_id: str | None


class DumpThread(Struct, frozen=True):
    """A thread with the registers it was stopped with. `Minidump.start` says where to begin walking its stack."""

    id: int
    name: str | None
    registers: Registers | None
    stack: Region | None


class Start(Struct, frozen=True):
    """Where the walk of one thread's stack begins."""

    registers: Registers | None
    stack: Region | None


@dataclass(frozen=True, slots=True)
class ExceptionRecord:
    """What was thrown or raised. What code, flags and parameters mean depends on the operating system."""

    thread_id: int
    code: int
    flags: int
    address: int
    parameters: tuple[int, ...]
    registers: Registers | None


@dataclass(frozen=True, slots=True)
class DamagedStream:
    """A stream, or an entry of one, that could not be read, and why. The rest of the dump is not touched by it."""

    type: int
    reason: str
