"""A whole result, made ready for a page."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from crashes.pages.shown.frames import Places, show_thread
from crashes.pages.shown.model import ShownResult, ShownThread
from crashes.pages.shown.modules import show_module
from crashes.results import Failure, Result


def show(result: Result, *, opened: Collection[int] = ()) -> ShownResult:
    """A result with the crashed thread open, and those of the indexes `opened`; the others only say where they stand.

    The cost is that of the open threads: a thread that nobody looks at is one line.
    """
    places = Places(result.modules)
    crashed = result.crashed_thread
    threads = [
        show_thread(thread, index, places, is_open=thread is crashed or index in opened)
        for index, thread in enumerate(result.threads)
    ]
    threads.sort(key=lambda thread: not thread.crashed)
    used = _used(result, places)
    modules = [show_module(module, index, used) for index, module in enumerate(result.modules)]
    met = _first_met(threads)
    modules.sort(
        key=lambda module: (not (module.used and module.why), not module.used, met.get(module.index, len(met)))
    )
    return ShownResult(
        reason=result.reason or _failure(result),
        details=[(name, text) for name, text in _details(result) if text],
        failures=_untold(result),
        system=result.system,
        threads=threads,
        modules=modules,
        problems=result.problems,
        unnamed=sum(1 for thread in result.threads for frame in thread.frames if not frame.is_named),
        annotations=result.annotations,
    )


def _used(result: Result, places: Places) -> set[int]:
    found = (places.find(frame) for thread in result.threads for frame in thread.frames)
    return {place[0] for place in found if place is not None}


def _first_met(threads: Sequence[ShownThread]) -> dict[int, int]:
    """Modules by when they are first met on the way down the stacks that are open, the crashed one first."""
    indexes = (frame.module_index for thread in threads for frame in thread.frames)
    return {index: place for place, index in enumerate(dict.fromkeys(index for index in indexes if index is not None))}


def _untold(result: Result) -> list[Failure]:
    """The exceptions, unless the one there is says what the reason says already."""
    if len(result.failures) == 1 and result.reason:
        return [one for one in result.failures if one.type not in result.reason and one.value not in result.reason]
    return result.failures


def _failure(result: Result) -> str:
    first = next(iter(result.failures), None)
    return "" if first is None else ": ".join(part for part in (first.type, first.value) if part)


def _details(result: Result) -> list[tuple[str, str]]:
    system = result.system
    return [
        ("Details", result.crash_details or ""),
        ("Assertion", result.assertion or ""),
        ("System", " ".join(part for part in (system.os_name, system.os_version, system.os_build) if part)),
        ("Processor", system.cpu_arch if system.cpu_arch != "unknown" else ""),
        ("Device", system.device_model),
    ]
