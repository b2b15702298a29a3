"""Frames and stacks, from a result to what a page shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crashes.pages.shown.model import Mark, ShownFrame, ShownThread, SourceLine
from crashes.pages.shown.why import why_of
from crashes.results import Frame, Module, Thread
from engine.modules import AddressMap, Span

_TRUST: Final = {
    "scan": Mark("guessed", "warn", "Found by scanning the stack: this frame may never have been there."),
    "cfiscan": Mark("guessed", "warn", "Found by scanning the stack: this frame may never have been there."),
    "fp": Mark("by frame pointer", "", "The caller was found by the frame pointer."),
    "cfi": Mark("by unwind rules", "good", "The caller was found by the module's unwind rules."),
    "prewalked": Mark("as reported", "", "The client walked the stack."),
    "context": Mark("registers", "good", "The address stood in the thread's registers."),
}
_INLINE: Final = Mark("inlined", "info", "This function was inlined into the frame below it.")
# What nearly every native frame is in says nothing.
_USUAL: Final = frozenset({"", "unknown", "c", "cpp"})


class Places:
    """Where addresses lie among the modules of a result."""

    def __init__(self, modules: Sequence[Module]) -> None:
        self._modules = modules
        known = [(index, number(module.image_addr), module.image_size or 0) for index, module in enumerate(modules)]
        self._starts = {index: start for index, start, _ in known if start is not None}
        self._map = AddressMap([Span(index, start, size) for index, start, size in known if start is not None])

    def find(self, frame: Frame) -> tuple[int, int] | None:
        """A frame's module by index, and the address relative to it; None for what lies in no module."""
        address = number(frame.instruction_addr)
        if address is None:
            return None
        if frame.addr_mode and frame.addr_mode.startswith("rel:"):
            index = int(frame.addr_mode.removeprefix("rel:") or 0)
            return (index, address) if index < len(self._modules) else None
        span = self._map.find(address)
        return None if span is None else (span.module, address - self._starts[span.module])


def show_thread(thread: Thread, index: int, places: Places, *, is_open: bool) -> ShownThread:
    """A thread; with its frames and registers where it is open."""
    guessed = (thread.diagnosis or {}).get("guessed_from")
    return ShownThread(
        index=index,
        title=_title(thread, index),
        crashed=thread.crashed,
        frame_count=len(thread.frames),
        summary=_summary(thread, places),
        frames=list(_frames(thread, places)) if is_open else (),
        registers=tuple(thread.registers.items()) if is_open else (),
        why=why_of(thread.diagnosis),
        guessed_from=guessed if isinstance(guessed, int) else None,
        open=is_open,
    )


def number(text: str | None) -> int | None:
    """An address as results have it, in hex with its prefix; None for anything else."""
    try:
        return None if text is None else int(text, 16)
    except ValueError:
        return None


def base_name(path: str | None) -> str:
    """The last part of a path of any system."""
    return (path or "").replace("\\", "/").rpartition("/")[2]


def frame_name(frame: Frame, places: Places) -> str:
    """The function; for want of it the module and the address in it, else the address alone."""
    if frame.function:
        return frame.function
    found = places.find(frame)
    module = base_name(frame.package) or frame.module or ""
    if found is not None:
        return f"{module or 'module'} + {found[1]:#x}"
    return frame.instruction_addr or module or base_name(frame.abs_path or frame.filename) or "unknown"


def _title(thread: Thread, index: int) -> str:
    name = thread.name or ("" if thread.id else f"Thread {index + 1}")
    number_ = f"Thread {thread.id}" if thread.id and thread.id != name else ""
    return " · ".join(part for part in (number_, name) if part)


def _summary(thread: Thread, places: Places) -> str:
    """Its innermost frame of the application's own, else its innermost frame."""
    own = next((frame for frame in thread.frames if frame.in_app and frame.is_named), None)
    chosen = own or (thread.frames[0] if thread.frames else None)
    return "" if chosen is None else frame_name(chosen, places)


def _frames(thread: Thread, places: Places) -> Iterator[ShownFrame]:
    """Frames with the numbers that debuggers give: an inlined function has that of the frame it lies in."""
    numbered = 0
    for frame in thread.frames:
        yield _shown(frame, numbered, places)
        numbered += 0 if frame.inline else 1


def _shown(frame: Frame, numbered: int, places: Places) -> ShownFrame:
    found = places.find(frame)
    path = frame.abs_path or frame.filename or ""
    return ShownFrame(
        number=numbered,
        name=frame_name(frame, places),
        named=frame.is_named,
        place=_place(frame),
        path=path if path != _place(frame) else "",
        module=base_name(frame.package) or frame.module or "",
        address=frame.instruction_addr or "",
        marks=list(_marks(frame)),
        inline=frame.inline,
        in_app=frame.in_app is not False,
        lines=list(_lines(frame)),
        link=_web_address(frame.source_link or ""),
        raw_name=frame.raw_function if frame.raw_function and frame.raw_function != frame.function else "",
        module_index=None if found is None else found[0],
        why=why_of(frame.diagnosis),
    )


def _web_address(text: str) -> str:
    return text if text.startswith(("https://", "http://")) else ""


def _place(frame: Frame) -> str:
    name = base_name(frame.filename) or base_name(frame.abs_path)
    place = ":".join(str(part) for part in (name, frame.lineno, frame.colno) if part not in (None, "", 0))
    return place if name else ""


def _marks(frame: Frame) -> Iterator[Mark]:
    if frame.inline:
        yield _INLINE
    trust = _TRUST.get(frame.trust or "")
    if trust is not None:
        yield trust
    if frame.status not in ("symbolicated", "missing") and not frame.is_named:
        yield Mark(frame.status.replace("_", " "), "warn")
    if frame.lang and frame.lang not in _USUAL:
        yield Mark(frame.lang)


def _lines(frame: Frame) -> Iterator[SourceLine]:
    if frame.context_line is None:
        return
    first = None if frame.lineno is None else frame.lineno - len(frame.pre_context)
    texts = [*frame.pre_context, frame.context_line, *frame.post_context]
    for offset, text in enumerate(texts):
        yield SourceLine(None if first is None else first + offset, text, offset == len(frame.pre_context))
