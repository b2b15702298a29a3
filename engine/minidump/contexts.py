"""Thread contexts: the registers of each processor out of the structure that the dump has for it.

x86, x86-64 and ARM64 are the CONTEXT of Microsoft's winnt.h. ARM is the same up to the program counter in Windows' form
and in Breakpad's; so is ARM64 in Windows' form and in the older one that Breakpad marks with 0x80000000. MIPS, PowerPC
and SPARC are Breakpad's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from engine.minidump.image import Image, Layout
from engine.minidump.model import Cpu, Registers


@dataclass(frozen=True, slots=True)
class ContextForm:
    """The layout of one context: `flags` lie at `flags_at`, one of `marks` must be set in them."""

    cpu: Cpu
    marks: int
    flags_at: int
    layout: Layout
    names: tuple[str, ...]
    pick: Callable[[tuple[Any, ...]], tuple[int, ...]]


def _form(cpu: Cpu, marks: int, flags_at: int, form: str, stored: Sequence[str], shown: Sequence[str]) -> ContextForm:
    """`stored` names the fields of `form` in their order, `shown` those that are kept, in the order of answers."""
    pick = itemgetter(*(stored.index(name) for name in shown))
    return ContextForm(cpu, marks, flags_at, Layout(form), tuple(shown), pick)


def _numbered(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


def _words(text: str) -> list[str]:
    return text.split()


_X86 = _words("edi esi ebx edx ecx eax ebp eip cs eflags esp")
_X86_SHOWN = _words("eip esp ebp ebx esi edi eax ecx edx eflags")
_AMD64 = _words("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip")
_AMD64_SHOWN = _words("rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip")
# r11 is the frame pointer.
_ARM = [*_numbered("r", 11), "fp", "r12", "sp", "lr", "pc"]
_ARM_SHOWN = [*_numbered("r", 11), "r12", "fp", "sp", "lr", "pc"]
_ARM64 = [*_numbered("x", 29), "fp", "lr", "sp", "pc"]
_MIPS_ARGUMENTS = _words("zero at v0 v1 a0 a1 a2 a3")
_MIPS = [*_MIPS_ARGUMENTS, *_numbered("t", 8), *_numbered("s", 8), *_words("t8 t9 k0 k1 gp sp fp ra hi lo pc")]
_MIPS_SHOWN = ["gp", "sp", "fp", "ra", "pc", *_numbered("s", 8)]
_MIPS_FORM = "8x32QQQ32xQ"
_PPC = ["srr0", "srr1", *_numbered("r", 32)]
_SPARC = [*_numbered("g", 8), *_numbered("o", 8), *_numbered("l", 8), *_numbered("i", 8), "ccr", "pc", "npc", "y"]

FORMS = {
    form.cpu: form
    for form in (
        _form(Cpu.X86, 0x10000, 0, "156x11I", _X86, _X86_SHOWN),
        _form(Cpu.X86_64, 0x100000, 48, "120x17Q", _AMD64, _AMD64_SHOWN),
        _form(Cpu.ARM, 0x40200000, 0, "4x16I", _ARM, _ARM_SHOWN),
        _form(Cpu.ARM64, 0x80400000, 0, "8x33Q", _ARM64, _ARM64),
        _form(Cpu.MIPS, 0xC0000, 0, _MIPS_FORM, _MIPS, _MIPS_SHOWN),
        _form(Cpu.MIPS64, 0xC0000, 0, _MIPS_FORM, _MIPS, _MIPS_SHOWN),
        _form(Cpu.PPC, 0x20000000, 0, "4x34I", _PPC, _PPC),
        _form(Cpu.PPC64, 0x01000000, 0, "8x34Q", _PPC, _PPC),
        _form(Cpu.SPARC, 0x10000000, 0, "8x36Q", _SPARC, _SPARC),
    )
}


def read_context(image: Image, at: int, size: int, cpu: Cpu) -> Registers | None:
    """The registers of a context; None when there is none for this processor. Unreadable beyond the end."""
    form = FORMS.get(cpu)
    if form is None or size < form.layout.size:
        return None
    values = image.unpack(form.layout, at)
    if not _flags(image, at, form) & form.marks:
        return None
    return Registers(cpu, dict(zip(form.names, form.pick(values), strict=True)))


def _flags(image: Image, at: int, form: ContextForm) -> int:
    """The flags that say which processor a context is of. They have 64 bits in some forms, with a zero upper half."""
    flags = image.u32(at + form.flags_at)
    return flags or (0 if image.is_little else image.u32(at + form.flags_at + 4))
