"""The demo's crash as text: frame by frame, and what was looked up where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BOLD, DIM, GREEN, YELLOW, RESET = "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[0m"


class Palette:
    """Colours, or nothing where the output is not a terminal."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{RESET}" if self._colours else text


def lines(request: dict[str, Any], answer: dict[str, Any], paint: Palette) -> Iterator[str]:
    """The whole report. `request` is what was sent, `answer` the completed response to it."""
    given = request["stacktraces"][0]
    yield paint(BOLD, f"Thread {given['thread_id']} “{given['thread_name']}” crashed with signal {request['signal']}")
    yield ""
    yield paint(DIM, "   sent: address         received: function, file and line")
    for frame in answer["stacktraces"][0]["frames"]:
        yield _frame_line(frame, given["frames"][frame["original_index"]]["instruction_addr"], paint)
    yield ""
    yield paint(BOLD, "What was looked up where")
    for module in answer["modules"]:
        yield from _module_lines(module, paint)


def _frame_line(frame: dict[str, Any], sent: str, paint: Palette) -> str:
    if frame["status"] != "symbolicated":
        package = (frame.get("package") or "no module").rsplit("/", 1)[-1]
        return f"   {sent:<15}  {paint(YELLOW, '?')} in {package} {paint(YELLOW, '(' + frame['status'] + ')')}"
    inlined = "" if frame.get("sym_addr") else paint(DIM, " (inlined)")
    where = paint(DIM, f"{frame.get('filename', '?')}:{frame.get('lineno', '?')}")
    return f"   {sent:<15}  {paint(GREEN, frame['function'])}{inlined}  {where}"


def _module_lines(module: dict[str, Any], paint: Palette) -> Iterator[str]:
    if module["debug_status"] == "unused":
        return
    found = module["debug_status"] == "found"
    name = module["code_file"].rsplit("/", 1)[-1]
    yield f"   {name}: {paint(GREEN if found else YELLOW, module['debug_status'])}"
    for candidate in module.get("candidates", ()):
        download = candidate["download"]
        details = f"  ({download['details']})" if download.get("details") else ""
        yield paint(DIM, f"      {download['status']:<9} {candidate['source']}  {candidate['location']}{details}")
    diagnosis = module.get("diagnosis")
    if diagnosis and not found:
        yield f"      why: {diagnosis['cause']}"
        yield f"      what to do: {diagnosis['remedy']}"
