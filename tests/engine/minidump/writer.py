"""Writes minidumps for tests: any processor and system, both byte orders.

    dump = Writer(Cpu.ARM64, Os.ANDROID)
    dump.module(0x10000, 0x4000, "/system/lib64/libc.so", build_id=bytes(range(20)))
    dump.thread(1, {"pc": 0x10010, "sp": 0x7000}, stack=(0x7000, b"..."), name="main")
    dump.exception(1, 11, flags=1, address=0x40)
    data = dump.build()

Every method gives the writer back, so calls can be chained. Registers that are not named are zero. For damaged dumps,
`Writer.stream` puts any bytes under any type, and replaces what the other methods would have written there.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.minidump import Cpu, Os

CPU_NUMBERS = {
    Cpu.X86: 0,
    Cpu.MIPS: 1,
    Cpu.PPC: 3,
    Cpu.ARM: 5,
    Cpu.X86_64: 9,
    Cpu.ARM64: 12,
    Cpu.SPARC: 0x8001,
    Cpu.PPC64: 0x8002,
    Cpu.MIPS64: 0x8004,
    Cpu.UNKNOWN: 0xFFFF,
}
OS_NUMBERS = {
    Os.WINDOWS: 2,
    Os.MACOS: 0x8101,
    Os.IOS: 0x8102,
    Os.LINUX: 0x8201,
    Os.SOLARIS: 0x8202,
    Os.ANDROID: 0x8203,
    Os.PS3: 0x8204,
    Os.NACL: 0x8205,
    Os.UNKNOWN: 0x8FFF,
}


def _run(first: int, step: int, names: str) -> dict[str, tuple[int, int]]:
    """Offset and size of registers that lie one after another."""
    return {name: (first + step * at, step) for at, name in enumerate(names.split()) if name != "-"}


def _numbers(letter: str, count: int) -> str:
    return " ".join(f"{letter}{number}" for number in range(count))


_MIPS = "- - - - - - - - - - - - - - - - s0 s1 s2 s3 s4 s5 s6 s7 - - - - gp sp fp ra"
_ARM64 = _run(8, 8, _numbers("x", 29) + " fp lr sp pc")


@dataclass(frozen=True)
class ContextShape:
    """Size of a context, offset, size and value of its flags, and offset and size of every register."""

    size: int
    flags: tuple[int, int, int]
    registers: Mapping[str, tuple[int, int]]


CONTEXTS = {
    Cpu.X86: ContextShape(716, (0, 4, 0x1003F), _run(156, 4, "edi esi ebx edx ecx eax ebp eip - eflags esp")),
    Cpu.X86_64: ContextShape(
        1232,
        (48, 4, 0x10001F),
        _run(120, 8, "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip"),
    ),
    Cpu.ARM: ContextShape(368, (0, 4, 0x40000006), _run(4, 4, _numbers("r", 11) + " fp r12 sp lr pc")),
    Cpu.ARM64: ContextShape(912, (0, 4, 0x400003), _ARM64),
    Cpu.MIPS: ContextShape(600, (0, 4, 0x40000), _run(8, 8, _MIPS) | {"pc": (312, 8)}),
    Cpu.MIPS64: ContextShape(600, (0, 4, 0x80000), _run(8, 8, _MIPS) | {"pc": (312, 8)}),
    Cpu.PPC: ContextShape(1000, (0, 4, 0x20000003), _run(4, 4, "srr0 srr1 " + _numbers("r", 32))),
    Cpu.PPC64: ContextShape(1256, (0, 8, 0x1000003), _run(8, 8, "srr0 srr1 " + _numbers("r", 32))),
    Cpu.SPARC: ContextShape(
        588, (0, 4, 0x10000001), _run(8, 8, _numbers("g", 8) + " " + _numbers("o", 8)) | {"pc": (272, 8)}
    ),
}
# What Breakpad wrote for ARM64 before it followed Windows.
OLD_ARM64 = ContextShape(796, (0, 8, 0x80000006), _ARM64)


@dataclass
class _Module:
    base: int
    size: int
    name: str
    codeview: bytes
    timestamp: int
    version: tuple[int, int, int, int] | None


@dataclass
class _Thread:
    id: int
    context: bytes
    stack: tuple[int, bytes] | None
    name: str | None


@dataclass
class Writer:
    """One dump in the making."""

    cpu: Cpu = Cpu.X86_64
    os: Os = Os.LINUX
    big_endian: bool = False
    version: tuple[int, int, int] = (5, 10, 4)
    csd: str = "build of a test"
    timestamp: int = 1_700_000_000
    old_arm64: bool = False
    _modules: list[_Module] = field(default_factory=list)
    _unloaded: list[_Module] = field(default_factory=list)
    _threads: list[_Thread] = field(default_factory=list)
    _memory: list[tuple[int, bytes]] = field(default_factory=list)
    _memory64: list[tuple[int, bytes]] = field(default_factory=list)
    _exception: tuple[int, int, int, int, Sequence[int], bytes] | None = None
    _crashpad: tuple[dict[str, str], dict[int, dict[str, object]], bytes, bytes] | None = None
    _streams: dict[int, bytes] = field(default_factory=dict)
    _body: bytearray = field(default_factory=bytearray)

    # What a dump holds

    def module(
        self,
        base: int,
        size: int,
        name: str,
        *,
        build_id: bytes | None = None,
        pdb: tuple[str, str, int] | None = None,
        codeview: bytes = b"",
        timestamp: int = 0,
        version: tuple[int, int, int, int] | None = None,
    ) -> Writer:
        """A loaded module, with an ELF build id, a PDB 7.0 record (name, UUID, age), other CodeView bytes, or none."""
        if build_id is not None:
            codeview = self.pack("I", 0x4270454C) + build_id
        if pdb is not None:
            codeview = self.pdb70(*pdb)
        self._modules.append(_Module(base, size, name, codeview, timestamp, version))
        return self

    def unloaded(self, base: int, size: int, name: str, timestamp: int = 0) -> Writer:
        self._unloaded.append(_Module(base, size, name, b"", timestamp, None))
        return self

    def thread(
        self,
        id: int,
        registers: Mapping[str, int] | None = None,
        *,
        stack: tuple[int, bytes] | None = None,
        name: str | None = None,
        context: bytes | None = None,
    ) -> Writer:
        """A thread; `stack` is its address and its bytes, `context` raw bytes instead of registers."""
        raw = context if context is not None else self.context(registers) if registers is not None else b""
        self._threads.append(_Thread(id, raw, stack, name))
        return self

    def memory(self, start: int, data: bytes) -> Writer:
        """A block of the 32-bit memory list. Stacks of threads are not listed by themselves."""
        self._memory.append((start, data))
        return self

    def memory64(self, start: int, data: bytes) -> Writer:
        """A block of the 64-bit memory list."""
        self._memory64.append((start, data))
        return self

    def exception(
        self,
        thread_id: int,
        code: int,
        *,
        flags: int = 0,
        address: int = 0,
        parameters: Sequence[int] = (),
        registers: Mapping[str, int] | None = None,
    ) -> Writer:
        context = self.context(registers) if registers is not None else b""
        self._exception = (thread_id, code, flags, address, parameters, context)
        return self

    def breakpad_info(self, dump_thread: int | None, requesting_thread: int | None) -> Writer:
        valid = (dump_thread is not None) | (requesting_thread is not None) << 1
        return self.stream(0x47670001, self.pack("III", valid, dump_thread or 0, requesting_thread or 0))

    def crashpad(
        self,
        annotations: Mapping[str, str],
        modules: Mapping[int, Mapping[str, object]] | None = None,
        report_id: uuid.UUID | None = None,
        client_id: uuid.UUID | None = None,
    ) -> Writer:
        """Crashpad's annotations: the process's, and by module index `{"simple": {}, "list": [], "objects": []}`.

        Objects are (name, type, value) with a value of bytes; type 1 is text.
        """
        per_module = {index: dict(content) for index, content in (modules or {}).items()}
        self._crashpad = (dict(annotations), per_module, self.guid(report_id), self.guid(client_id))
        return self

    def stream(self, type: int, data: bytes) -> Writer:
        """Any stream as it is; it replaces what the other methods make of this type."""
        self._streams[type] = data
        return self

    # Pieces

    def pack(self, form: str, *values: object) -> bytes:
        return struct.pack((">" if self.big_endian else "<") + form, *values)

    def words(self, *values: int) -> bytes:
        """Addresses one after another, as wide as the processor's registers: what stacks are made of."""
        return b"".join(self.pack("I" if self.cpu.is_narrow else "Q", value) for value in values)

    def guid(self, value: uuid.UUID | None) -> bytes:
        if value is None:
            return bytes(16)
        return value.bytes if self.big_endian else value.bytes_le

    def pdb70(self, name: str, identifier: str, age: int) -> bytes:
        return (
            self.pack("I", 0x53445352) + self.guid(uuid.UUID(identifier)) + self.pack("I", age) + name.encode() + b"\0"
        )

    def pdb20(self, name: str, timestamp: int, age: int) -> bytes:
        return self.pack("IIII", 0x3031424E, 0, timestamp, age) + name.encode() + b"\0"

    def context(self, registers: Mapping[str, int]) -> bytes:
        """The raw context of the writer's processor."""
        shape = OLD_ARM64 if self.old_arm64 else CONTEXTS[self.cpu]
        raw = bytearray(shape.size)
        order = "big" if self.big_endian else "little"
        at, size, flags = shape.flags
        raw[at : at + size] = flags.to_bytes(size, order)
        for name, value in registers.items():
            at, size = shape.registers[name]
            raw[at : at + size] = value.to_bytes(size, order)
        return bytes(raw)

    # Writing

    def build(self) -> bytes:
        """The whole dump. A writer may be changed and built again."""
        self._body = bytearray(32)
        streams = {7: self._system(), 3: self._thread_list(), 4: self._module_list()}
        if self._unloaded:
            streams[14] = self._unloaded_list()
        if any(thread.name is not None for thread in self._threads):
            streams[24] = self._thread_names()
        if self._memory:
            streams[5] = self._memory_list()
        if self._exception:
            streams[6] = self._exception_stream()
        if self._crashpad:
            streams[0x43500001] = self._crashpad_stream()
        if self._memory64:
            streams[9] = self._memory64_list()
        return self._with_directory(streams | self._streams)

    def _with_directory(self, streams: Mapping[int, bytes]) -> bytes:
        places = [(type, len(data), self._put(data)) for type, data in streams.items()]
        directory = self._put(b"".join(self.pack("III", *place) for place in places))
        signature = b"PMDM" if self.big_endian else b"MDMP"
        header = self.pack("IIIIIQ", 0xA793, len(places), directory, 0, self.timestamp, 0)
        return signature + header + bytes(self._body[32:])

    def _put(self, data: bytes) -> int:
        """Append bytes, aligned to four; their offset."""
        self._body += bytes(-len(self._body) % 4)
        at = len(self._body)
        self._body += data
        return at

    def _put_utf16(self, text: str) -> int:
        raw = text.encode("utf-16-be" if self.big_endian else "utf-16-le", "surrogatepass")
        return self._put(self.pack("I", len(raw)) + raw + b"\0\0")

    def _put_utf8(self, text: str | bytes) -> int:
        raw = text.encode() if isinstance(text, str) else text
        return self._put(self.pack("I", len(raw)) + raw + b"\0")

    def _system(self) -> bytes:
        numbers = (CPU_NUMBERS[self.cpu], 0, 0, 4, 1, *self.version, OS_NUMBERS[self.os])
        return self.pack("HHHBBIIIIIHH", *numbers, self._put_utf16(self.csd), 0, 0) + bytes(24)

    def _thread_list(self) -> bytes:
        rows = [self._thread(thread) for thread in self._threads]
        return self.pack("I", len(rows)) + b"".join(rows)

    def _thread(self, thread: _Thread) -> bytes:
        start, stack = thread.stack or (0, b"")
        stack_at = self._put(stack) if stack else 0
        context_at = self._put(thread.context) if thread.context else 0
        return self.pack(
            "IIIIQQIIII", thread.id, 0, 0, 0, 0, start, len(stack), stack_at, len(thread.context), context_at
        )

    def _thread_names(self) -> bytes:
        named = [thread for thread in self._threads if thread.name is not None]
        rows = [self.pack("IQ", thread.id, self._put_utf16(thread.name or "")) for thread in named]
        return self.pack("I", len(rows)) + b"".join(rows)

    def _module_list(self) -> bytes:
        rows = [self._module(module) for module in self._modules]
        return self.pack("I", len(rows)) + b"".join(rows)

    def _module(self, module: _Module) -> bytes:
        codeview_at = self._put(module.codeview) if module.codeview else 0
        a, b, c, d = module.version or (0, 0, 0, 0)
        signature = 0xFEEF04BD if module.version else 0
        version = self.pack("IIII", signature, 0x10000, a << 16 | b, c << 16 | d) + bytes(36)
        head = self.pack("QIIII", module.base, module.size, 0, module.timestamp, self._put_utf16(module.name))
        return head + version + self.pack("IIIIQQ", len(module.codeview), codeview_at, 0, 0, 0, 0)

    def _unloaded_list(self) -> bytes:
        rows = [
            self.pack("QIIII", module.base, module.size, 0, module.timestamp, self._put_utf16(module.name))
            for module in self._unloaded
        ]
        return self.pack("III", 12, 24, len(rows)) + b"".join(rows)

    def _memory_list(self) -> bytes:
        rows = [self.pack("QII", start, len(data), self._put(data)) for start, data in self._memory]
        return self.pack("I", len(rows)) + b"".join(rows)

    def _memory64_list(self) -> bytes:
        rows = [self.pack("QQ", start, len(data)) for start, data in self._memory64]
        at = self._put(b"".join(data for _, data in self._memory64))
        return self.pack("QQ", len(rows), at) + b"".join(rows)

    def _exception_stream(self) -> bytes:
        assert self._exception is not None
        thread, code, flags, address, parameters, context = self._exception
        padded = [*parameters, *[0] * (15 - len(parameters))]
        head = self.pack("IIIIQQII", thread, 0, code, flags, 0, address, len(parameters), 0)
        return head + self.pack("15QII", *padded, len(context), self._put(context) if context else 0)

    def _crashpad_stream(self) -> bytes:
        assert self._crashpad is not None
        annotations, modules, report, client = self._crashpad
        simple = self._dictionary(annotations)
        links = [self.pack("III", index, *self._crashpad_module(content)) for index, content in modules.items()]
        listed = self.pack("I", len(links)) + b"".join(links)
        return (
            self.pack("I", 1)
            + report
            + client
            + self.pack("IIII", *simple, len(listed), self._put(listed))
            + bytes(4 + 8)
        )

    def _crashpad_module(self, content: Mapping[str, object]) -> tuple[int, int]:
        listed = self._texts(content.get("list", ()))  # type: ignore[arg-type]
        simple = self._dictionary(content.get("simple", {}))  # type: ignore[arg-type]
        objects = self._objects(content.get("objects", ()))  # type: ignore[arg-type]
        raw = self.pack("IIIIIII", 1, *listed, *simple, *objects)
        return len(raw), self._put(raw)

    def _dictionary(self, entries: Mapping[str, str]) -> tuple[int, int]:
        rows = [self.pack("II", self._put_utf8(key), self._put_utf8(value)) for key, value in entries.items()]
        return self._counted(rows)

    def _texts(self, texts: Sequence[str]) -> tuple[int, int]:
        return self._counted([self.pack("I", self._put_utf8(text)) for text in texts])

    def _objects(self, objects: Sequence[tuple[str, int, bytes]]) -> tuple[int, int]:
        rows = [
            self.pack("IHHI", self._put_utf8(name), type, 0, self._put_utf8(value)) for name, type, value in objects
        ]
        return self._counted(rows)

    def _counted(self, rows: Sequence[bytes]) -> tuple[int, int]:
        """Size and offset of a counted list; nothing when it is empty."""
        if not rows:
            return 0, 0
        raw = self.pack("I", len(rows)) + b"".join(rows)
        return len(raw), self._put(raw)
