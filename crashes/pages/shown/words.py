"""A crash as text: to paste into a chat, a ticket or a commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crashes.models import Crash
from crashes.pages.shown.building import show
from crashes.pages.shown.model import ShownFrame, ShownResult, ShownThread
from crashes.results import Result

_FENCE: Final = "```"


def as_text(crash: Crash, result: Result, address: str) -> str:
    """The crashed thread and what is known besides, in lines; `address` is that of the crash's page."""
    shown = show(result)
    return "\n".join([*_head(crash, shown), address, "", *_stack(shown), ""])


def as_markdown(crash: Crash, result: Result, address: str) -> str:
    """The same with a heading and the stack in a block. What a client sent cannot end the block."""
    shown = show(result)
    stack = "\n".join(_stack(shown)).replace(_FENCE, "'''")
    head = [f"**{line}**" if index == 0 else f"{line}  " for index, line in enumerate(_head(crash, shown))]
    return "\n".join([*head, f"<{address}>", "", _FENCE, stack, _FENCE, ""])


def _head(crash: Crash, shown: ShownResult) -> Iterator[str]:
    yield _line(crash.title or shown.reason or "Crash")
    facts = (crash.version, crash.os_name, crash.arch, crash.received_at.strftime("%Y-%m-%d %H:%M:%S UTC"))
    yield _line(" · ".join(fact for fact in facts if fact))


def _stack(shown: ShownResult) -> Iterator[str]:
    thread = shown.crashed
    if thread is None:
        return
    yield from _thread(thread)


def _thread(thread: ShownThread) -> Iterator[str]:
    yield f"{_line(thread.title)}{' (crashed)' if thread.crashed else ''}"
    for frame in thread.frames:
        yield _frame(frame)


def _frame(frame: ShownFrame) -> str:
    number = "  ↳" if frame.inline else f"{frame.number:>3}"
    where = f" ({frame.place})" if frame.place else ""
    module = f"  [{frame.module}]" if frame.module and frame.module not in frame.name else ""
    guessed = "  guessed" if any(mark.text == "guessed" for mark in frame.marks) else ""
    return _line(f"{number} {frame.name}{where}{module}{guessed}")


def _line(text: str) -> str:
    """One line, whatever is in the text."""
    return " ".join(text.split("\n")).replace("\r", " ")
