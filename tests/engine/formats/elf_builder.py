"""Makes small ELF files with unwind tables, of any class, byte order and machine."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SHT_PROGBITS, SHT_STRTAB, SHT_ARM_EXIDX = 1, 3, 0x70000001
TEXT = 0x1000


def uleb(value):
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def sleb(value):
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        done = (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


@dataclass(frozen=True)
class Target:
    machine: int
    wide: bool = True
    big: bool = False

    @property
    def order(self):
        return ">" if self.big else "<"

    def word(self, value):
        return struct.pack(self.order + ("Q" if self.wide else "I"), value & (2 ** (64 if self.wide else 32) - 1))

    def u32(self, value):
        return struct.pack(self.order + "I", value & 0xFFFFFFFF)


X86_64 = Target(62)
X86 = Target(3, wide=False)
ARM64 = Target(183)
ARM = Target(40, wide=False)
MIPS = Target(8, wide=False, big=True)
MIPSEL = Target(8, wide=False)
MIPS64 = Target(8, big=True)
PPC64 = Target(21, big=True)
TARGETS = {"x86_64": X86_64, "x86": X86, "arm64": ARM64, "arm": ARM, "mips": MIPS, "mipsel": MIPSEL, "mips64": MIPS64}


@dataclass
class Section:
    name: str
    content: bytes
    address: int = 0
    type: int = SHT_PROGBITS
    flags: int = 2
    link: int = 0


def elf(target, sections, *, load=0):
    """An ELF file of these sections, with one loaded segment that begins at `load`."""
    names = b"\0" + b"".join(section.name.encode() + b"\0" for section in sections) + b".shstrtab\0"
    sections = [*sections, Section(".shstrtab", names, 0, SHT_STRTAB, 0)]
    header, segment = (64, 56) if target.wide else (52, 32)
    at = header + segment
    content, name_at, rows = bytearray(), 1, []
    for section in sections:
        content += b"\0" * (-len(content) % 8)
        place = (section.address, at + len(content), len(section.content))
        rows.append((name_at, section.type, section.flags, *place, section.link, 0, 8, 0))
        content += section.content
        name_at += len(section.name) + 1
    content += b"\0" * (-len(content) % 8)
    order, word = target.order, "Q" if target.wide else "I"
    table = b"\0" * (64 if target.wide else 40)
    for row in rows:
        table += struct.pack(f"{order}II{word * 4}II{word * 2}", *row)
    ident = b"\x7fELF" + bytes([2 if target.wide else 1, 2 if target.big else 1, 1]) + bytes(9)
    head = ident + struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH",
        3, target.machine, 1, 0, header, at + len(content), 0, header, segment, 1,
        64 if target.wide else 40, len(sections) + 1, len(sections),
    )  # fmt: skip
    length = at + len(content)
    if target.wide:
        loaded = struct.pack(order + "IIQQQQQQ", 1, 5, 0, load, load, length, length, 0x1000)
    else:
        loaded = struct.pack(order + "IIIIIIII", 1, 0, load, load, length, length, 5, 0x1000)
    return head + loaded + bytes(content) + table


@dataclass
class Frames:
    """An .eh_frame or .debug_frame section, made piece by piece."""

    target: Target
    address: int = 0x8000
    debug: bool = False
    content: bytearray = field(default_factory=bytearray)

    def cie(self, instructions=b"", *, augmentation=None, extra=b"\x1b", ra=16, code=1, data=-8, version=1):
        start = len(self.content)
        if augmentation is None:
            augmentation = b"" if self.debug else b"zR"
        body = self._word(0xFFFFFFFF if self.debug else 0) + bytes([version]) + augmentation + b"\0"
        if version >= 4:
            body += bytes([8 if self.target.wide else 4, 0])
        body += uleb(code) + sleb(data) + (bytes([ra]) if version == 1 else uleb(ra))
        if augmentation.startswith(b"z"):
            body += uleb(len(extra)) + extra
        self._add(body + instructions)
        return start

    def fde(self, cie, start, size, instructions=b"", *, encoded=None, augmented=b"\0"):
        """`encoded(address of the field)` gives start and size as bytes; else 4 bytes each, relative to the field."""
        at = len(self.content) + 4
        pointer = cie if self.debug else at - cie
        if encoded is not None:
            where = encoded(self.address + at + 4)
        elif self.debug:
            where = self.target.word(start) + self.target.word(size)
        else:
            where = self.target.u32(start - (self.address + at + 4)) + self.target.u32(size)
        self._add(self._word(pointer) + where + (b"" if self.debug else augmented) + instructions)

    def section(self):
        name = ".debug_frame" if self.debug else ".eh_frame"
        end = b"" if self.debug else bytes(4)
        return Section(name, bytes(self.content) + end, 0 if self.debug else self.address, flags=0 if self.debug else 2)

    def file(self, *others, load=0):
        text = Section(".text", bytes(64), TEXT, flags=6)
        return elf(self.target, [text, self.section(), *others], load=load)

    def _word(self, value):
        return self.target.u32(value)

    def _add(self, body):
        body += b"\0" * (-len(body) % 4)
        self.content += self.target.u32(len(body)) + body
