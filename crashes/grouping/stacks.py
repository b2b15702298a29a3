"""Which frames of a crash tell it from others, and what they are compared by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from crashes.grouping.machinery import is_machinery, is_machinery_module
from crashes.grouping.names import JAVASCRIPT, JVM, NATIVE, family, plain_name
from crashes.grouping.parts import Part
from crashes.results import Frame, Module, Result, Thread

# What lies further out says how the program came there, not what went wrong.
MOST_FRAMES: Final = 12
_LOOKED_AT: Final = 1_000
_LONGEST_CYCLE: Final = 6
_GUESSED: Final = frozenset({"scan", "cfi_scan", "cfi-scan", "cfiscan"})
_HEX: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{1,16})")
_VERSIONED: Final = re.compile(r"(?<=\.so)(?:\.\d+)+$|-\d+(?:\.\d+)+(?=\.so$)")
_HASHED: Final = re.compile(
    r"(?<=[.\-_~])(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{6,}(?=\.)|(?<=[.\-_])(?=[a-z_-]*[A-Z\d])[A-Za-z0-9_-]{8}(?=\.js$)"
)
_SCHEME: Final = re.compile(r"^(?:webpack(?:-internal)?|https?|file|app|rsc|turbopack|ng|capacitor|blob):/+[^/]*/")


def chosen_stack(result: Result) -> Thread | None:
    """The stack of the innermost exception that has one, or else that of the crashed thread."""
    for failure in reversed(result.failures):
        if failure.stack is not None and 0 <= failure.stack < len(result.threads):
            thread = result.threads[failure.stack]
            if thread.frames:
                return thread
    return result.crashed_thread


def counting_frames(result: Result) -> list[tuple[Frame, Part]]:
    """The frames that count, innermost first, each with what it is compared by.

    Of the frames that are no guesses and no machinery those of the application count. Where there are none, its guessed
    ones do: a stack often begins in a library of the system that nobody has the rules of, and `libc.so` alone would
    make all that aborts one group. Without those, the system's; then guesses; and at last whatever there is. What was
    called by itself, alone or in a circle, counts once.
    """
    thread = chosen_stack(result)
    if thread is None:
        return []
    everything = [(frame, part) for frame in thread.frames[:_LOOKED_AT] if (part := _part(frame, result)) is not None]
    certain = {id(frame) for frame in _certain(thread.frames)}
    telling = [pair for pair in everything if not _is_machinery(pair[0], pair[1], result)]
    trusted = [pair for pair in telling if id(pair[0]) in certain]
    rungs = (_own(trusted), _own(telling), trusted, telling, everything)
    return _folded(next((rung for rung in rungs if rung), []))[:MOST_FRAMES]


def _own(frames: Sequence[tuple[Frame, Part]]) -> list[tuple[Frame, Part]]:
    return [pair for pair in frames if pair[0].in_app]


def _certain(frames: Sequence[Frame]) -> Iterator[Frame]:
    """Frames up to the first guess: what was found from a guess is one, however it was found."""
    for frame in frames:
        if frame.trust in _GUESSED:
            return
        yield frame


def _kind(frame: Frame, result: Result) -> str:
    return NATIVE if frame.instruction_addr else family(frame.lang or result.platform)


def _is_machinery(frame: Frame, part: Part, result: Result) -> bool:
    if part.kind == "function":
        return is_machinery(part.value, _kind(frame, result))
    return frame.instruction_addr is not None and is_machinery_module(part.value.partition("+")[0])


def _part(frame: Frame, result: Result) -> Part | None:
    kind = _kind(frame, result)
    name = plain_name(frame.function or frame.symbol or "", kind)
    if kind == NATIVE:
        return Part("function", name) if name else _nameless(frame, result)
    if kind == JVM:
        whole = f"{plain_name(frame.module or '', kind)}.{name}".strip(".")
        return Part("function", whole) if whole else None
    return _script(frame, name, kind)


def _script(frame: Frame, name: str, kind: str) -> Part | None:
    """By function and file. A JavaScript function without a name is known by its line's text."""
    place = plain_file(frame.module or frame.filename or frame.abs_path or "")
    if name:
        return Part("function", name if kind == JAVASCRIPT and not place else f"{name} in {place}".removesuffix(" in "))
    line = " ".join((frame.context_line or "").split())[:200]
    if line:
        return Part("line", f"{line} in {place}")
    number = "" if frame.lineno is None else f":{frame.lineno}:{frame.colno or 0}"
    return Part("place", f"{place}{number}") if place else None


def plain_file(path: str) -> str:
    """A script's path without host, query and the digests that bundlers put into names."""
    bare = _SCHEME.sub("", path.partition("?")[0].partition("#")[0]).removeprefix("./")
    return _HASHED.sub("*", bare)


def _nameless(frame: Frame, result: Result) -> Part | None:
    """By module and address within it: equal for the same build. Of the system's modules the name must do."""
    module = _module(frame, result)
    name = base_name((module.debug_file or module.code_file if module else None) or frame.package or "")
    if not name:
        return None
    if frame.in_app is False:
        return Part("module", name)
    return Part("address", f"{name}+0x{_offset(frame, module):x}")


def _module(frame: Frame, result: Result) -> Module | None:
    mode = frame.addr_mode or ""
    if mode.startswith("rel:") and mode[4:].isdecimal() and int(mode[4:]) < len(result.modules):
        return result.modules[int(mode[4:])]
    address = _number(frame.instruction_addr)
    for module in result.modules:
        start = _number(module.image_addr)
        if start and start <= address < start + (module.image_size or 0):
            return module
    return None


def _offset(frame: Frame, module: Module | None) -> int:
    address = _number(frame.instruction_addr)
    if module is None or (frame.addr_mode or "").startswith("rel:"):
        return address
    return max(0, address - _number(module.image_addr))


def _number(text: str | None) -> int:
    found = _HEX.fullmatch(text or "")
    return int(found[1], 16) if found else 0


def base_name(path: str) -> str:
    """A file's name without its directories and the version of a shared library."""
    return _VERSIONED.sub("", re.split(r"[\\/]", path)[-1])


def _folded(frames: Sequence[tuple[Frame, Part]]) -> list[tuple[Frame, Part]]:
    """Without the repetitions of a run of up to `_LONGEST_CYCLE` frames: how deep a recursion went does not count."""
    kept: list[tuple[Frame, Part]] = []
    for pair in frames:
        kept.append(pair)
        for size in range(1, _LONGEST_CYCLE + 1):
            last, before = kept[-size:], kept[-2 * size : -size]
            if len(before) == size and all(one[1] == other[1] for one, other in zip(last, before, strict=True)):
                del kept[-size:]
                break
    return kept
