"""The thread list, in its plain and its extended form, and the threads' names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from engine.minidump.contexts import read_context
from engine.minidump.image import Complain, Image, Layout, Unreadable
from engine.minidump.lists import counted
from engine.minidump.memory import Memory
from engine.minidump.model import Cpu, DumpThread, Region, Registers

LIST = 3
LIST_EX = 8
NAMES = 24
# Each thread costs a view and its registers. The greatest processes that are known have some ten thousand.
MAX_THREADS = 1 << 16
_THREAD = Layout("I12x8xQIIII")
# The extended form has the backing store of Itanium processors behind it.
_THREAD_EX = Layout("I12x8xQIIII16x")
# A thread's id and where its name lies: packed as dbghelp does it, with 32 bits, or aligned to eight bytes.
_NAME_FORMS = (Layout("IQ"), Layout("II"), Layout("I4xQ"))

Rows: TypeAlias = list[tuple[Any, ...]]


def read_rows(image: Image, at: int, size: int) -> Rows:
    """The raw entries of the thread list."""
    first, count = counted(image, at, size, _THREAD, at_most=MAX_THREADS)
    return list(image.rows(_THREAD, first, count))


def read_rows_ex(image: Image, at: int, size: int) -> Rows:
    """The raw entries of the extended thread list."""
    first, count = counted(image, at, size, _THREAD_EX, at_most=MAX_THREADS)
    return list(image.rows(_THREAD_EX, first, count))


def read_names(image: Image, at: int, size: int, complain: Complain) -> dict[int, str]:
    """The names of threads by their ids; a name that cannot be read costs only itself."""
    form = _name_form(image, at, size)
    first, count = counted(image, at, size, form, at_most=MAX_THREADS)
    names = {}
    for thread, name_at in image.rows(form, first, count):
        try:
            names[thread] = image.utf16(name_at)
        except Unreadable as problem:
            complain(f"the name of thread {thread}: {problem}")
    return names


def _name_form(image: Image, at: int, size: int) -> Layout:
    """The form that fills the stream exactly, or else the usual one."""
    count = image.u32(at) if size >= 4 else 0
    return next(
        (form for form in _NAME_FORMS if size in (4 + count * form.size, 8 + count * form.size)), _NAME_FORMS[0]
    )


def make_threads(
    image: Image, rows: Rows, cpu: Cpu, names: Mapping[int, str], memory: Callable[[], Memory], complain: Complain
) -> tuple[DumpThread, ...]:
    """The threads in the order of the dump. A context or a stack that cannot be read costs only itself."""
    registers = partial(_registers, image, cpu, complain)
    return tuple(
        DumpThread(
            thread, names.get(thread), context, choose_stack(context, _own(image, start, size, at), start, memory)
        )
        for thread, start, size, at, context_size, context_at in rows
        for context in (registers(thread, context_at, context_size),)
    )


def _registers(image: Image, cpu: Cpu, complain: Complain, thread: int, at: int, size: int) -> Registers | None:
    try:
        return read_context(image, at, size, cpu)
    except Unreadable as problem:
        complain(f"the context of thread {thread}: {problem}")
        return None


def _own(image: Image, start: int, size: int, at: int) -> Region | None:
    """The stack that the thread's entry points to."""
    if not size or not at:
        return None
    with suppress(Unreadable):
        return Region(start, image.piece(at, size), image.is_little)
    return None


def choose_stack(
    registers: Registers | None, own: Region | None, start: int, memory: Callable[[], Memory]
) -> Region | None:
    """The thread's own region; if it does not hold the stack pointer, the region that does."""
    if registers is None:
        return own
    if own is not None and registers.sp in own:
        return own
    return memory().find(registers.sp) or own or memory().find(start)
