"""JSON reports (`.ips`) of iOS 15, macOS 12 and later.

A line of JSON about the report, then the report as one JSON object; tools that took the first line away leave the
object alone. Before iOS 15 the first line is followed by a text report. Where the text format says the same, the
answer is what the text would give: threads are numbered by position, reasons read `EXC_BAD_ACCESS (SIGSEGV)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from engine.apple import loose
from engine.apple.loose import Loose
from engine.apple.report import (
    MAX_FRAMES,
    MAX_IMAGES,
    MAX_THREADS,
    UNKNOWN_ARCH,
    UNREADABLE,
    AppleFrame,
    AppleImage,
    AppleReport,
    AppleSystem,
    AppleThread,
    UnreadableReport,
    WrongKindOfReport,
    exception_thread,
)
from engine.apple.text import parse_text
from engine.apple.values import known_uuid, parse_arch, parse_system, parse_time, reason

MAX_BYTES = 8 << 20
_MASK = (1 << 64) - 1
_LONGEST_HEADER = 1 << 16
# What tells a crash report from any object with threads in it.
_TELLING = frozenset({"usedImages", "exception", "captureTime", "procName", "faultingThread"})
# What a thread state holds beside registers.
_NOT_REGISTERS = frozenset({"cpu", "trap", "err"})
_KINDS = {
    "115": "a reset report",
    "151": "a report of wake-ups",
    "202": "a report of processor use",
    "210": "a kernel panic",
    "288": "a stackshot",
    "298": "a JetsamEvent report, which tells about memory",
}
_decoder = msgspec.json.Decoder()


def parse_ips(data: bytes) -> AppleReport:
    """Read a report that begins with `{`. Raises UnreadableReport, or WrongKindOfReport where it has no threads."""
    first, _, rest = data.partition(b"\n")
    header = _header(first)
    following = rest.lstrip()
    if header and following and not following.startswith(b"{"):
        return _with_header(parse_text(rest), header)
    if len(data) > MAX_BYTES:
        raise UnreadableReport(f"the JSON report has more than {MAX_BYTES} bytes")
    body = _decode(following if header and following else data)
    if not isinstance(body.get("threads"), list) or not _TELLING & body.keys():
        raise _wrong_kind(body, header)
    return _IpsReader(body, header).report()


def _header(line: bytes) -> Loose:
    """The first line if it is an object of its own; an empty one otherwise."""
    if len(line) > _LONGEST_HEADER:
        return {}
    try:
        return _decode(line)
    except UnreadableReport:
        return {}


def _decode(data: bytes) -> Loose:
    try:
        found = _decoder.decode(data.decode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise UnreadableReport(f"the report is not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise UnreadableReport("the report is not a JSON object")
    return found


def _with_header(report: AppleReport, header: Loose) -> AppleReport:
    """A text report under a line of JSON: the line fills what the text lacks."""
    stamp = report.timestamp
    system = report.system if report.system.os_name else replace(_named(header), cpu_arch=report.system.cpu_arch)
    return replace(report, timestamp=_time(header, "timestamp") if stamp is None else stamp, system=system)


def _wrong_kind(body: Loose, header: Loose) -> WrongKindOfReport:
    number = loose.text(header, "bug_type") or loose.text(body, "bug_type") or ""
    kind = _KINDS.get(number, "one without a crash's threads")
    numbered = f" (bug_type {number[:10]})" if number else ""
    return WrongKindOfReport(f"{UNREADABLE}: the .ips report is {kind}{numbered}; it has no stacks to symbolicate")


def _time(of: Loose, key: str) -> int | None:
    return parse_time(loose.text(of, key) or "")


def _named(of: Loose) -> AppleSystem:
    return parse_system(loose.text(of, "os_version") or "")


class _IpsReader:
    def __init__(self, body: Loose, header: Loose) -> None:
        self._body = body
        self._header = header
        self._used = [_UsedImage.read(entry) for entry in _bounded(body, "usedImages", MAX_IMAGES)]
        self._frames_left = MAX_FRAMES
        self._exception = loose.inner(body, "exception")

    def report(self) -> AppleReport:
        stamp = _time(self._body, "captureTime")
        thrown = self._frames(loose.objects(self._body, "lastExceptionBacktrace"))
        return AppleReport(
            timestamp=_time(self._header, "timestamp") if stamp is None else stamp,
            system=self._system(),
            crash_reason=reason(loose.text(self._exception, "type"), loose.text(self._exception, "signal")),
            crash_details=_details(self._body, self._exception),
            threads=self._threads() + exception_thread(thrown),
            images=tuple(used.image for used in self._used if used.image is not None),
        )

    def _system(self) -> AppleSystem:
        version = loose.inner(self._body, "osVersion")
        train = loose.text(version, "train")
        system = parse_system(train) if train else _named(self._header)
        arch = parse_arch(loose.text(self._body, "cpuType") or "")
        return replace(
            system,
            os_build=loose.text(version, "build") or system.os_build,
            cpu_arch=arch if arch != UNKNOWN_ARCH else self._first_arch(),
            device_model=loose.text(self._body, "modelCode") or loose.text(self._body, "hardwareModel") or "",
        )

    def _first_arch(self) -> str:
        return next((used.arch for used in self._used if used.arch != UNKNOWN_ARCH), UNKNOWN_ARCH)

    def _threads(self) -> tuple[AppleThread, ...]:
        faulting = loose.number(self._body, "faultingThread")
        given = enumerate(_bounded(self._body, "threads", MAX_THREADS))
        return tuple(self._thread(index, thread, index == faulting) for index, thread in given)

    def _thread(self, index: int, thread: Loose, faulting: bool) -> AppleThread:
        return AppleThread(
            id=index,
            name=loose.text(thread, "name"),
            crashed=faulting or thread.get("triggered") is True,
            registers=_registers(loose.inner(thread, "threadState")),
            frames=self._frames(loose.objects(thread, "frames")),
            queue=loose.text(thread, "queue"),
        )

    def _frames(self, frames: Iterable[Loose]) -> tuple[AppleFrame, ...]:
        """Without those that were inlined into the next one: whoever symbolicates finds them by the next one."""
        return tuple(self._frame(frame) for frame in frames if frame.get("inline") is not True)

    def _frame(self, frame: Loose) -> AppleFrame:
        self._frames_left -= 1
        if self._frames_left < 0:
            raise UnreadableReport(f"the report has more than {MAX_FRAMES} frames")
        index = loose.number(frame, "imageIndex")
        used = self._used[index] if index is not None and index < len(self._used) else _NOWHERE
        address = used.start + (loose.number(frame, "imageOffset") or 0) & _MASK
        return AppleFrame(address, used.name, loose.text(frame, "symbol"))


def _bounded(of: Loose, key: str, most: int) -> Iterator[Loose]:
    """The entries of a list that has no more than `most`."""
    for count, entry in enumerate(loose.objects(of, key)):
        if count == most:
            raise UnreadableReport(f"the report has more than {most} {key}")
        yield entry


class _UsedImage(msgspec.Struct, frozen=True):
    """An entry of `usedImages`. `image` is None for the one that stands for addresses in no binary."""

    start: int
    name: str | None
    arch: str
    image: AppleImage | None

    @classmethod
    def read(cls, entry: Loose) -> _UsedImage:
        start, size = loose.number(entry, "base") or 0, loose.number(entry, "size") or 0
        path, name = loose.text(entry, "path"), loose.text(entry, "name")
        uuid = known_uuid(loose.text(entry, "uuid") or "")
        image = AppleImage(path or name or "", uuid, start, size) if start or uuid else None
        return cls(start, name or path, parse_arch(loose.text(entry, "arch") or ""), image)


_NOWHERE = _UsedImage(0, None, UNKNOWN_ARCH, None)


def _registers(state: Loose) -> dict[str, int]:
    """The general registers `x` as x0 and so on, then those with a name of their own."""
    known = {f"x{index}": loose.number(entry, "value") for index, entry in enumerate(loose.objects(state, "x"))}
    known |= {f"r{index}": loose.number(entry, "value") for index, entry in enumerate(loose.objects(state, "r"))}
    for name in state.keys() - _NOT_REGISTERS:
        if name not in known and name.isalnum():
            known[name] = loose.number(loose.inner(state, name), "value")
    return {name: value for name, value in sorted(known.items(), key=_register_order) if value is not None}


def _register_order(entry: tuple[str, int | None]) -> tuple[str, int]:
    name = entry[0].rstrip("0123456789")
    digits = entry[0][len(name) :]
    return name, int(digits) if digits.isascii() and 0 < len(digits) < 9 else 0


def _details(body: Loose, exception: Loose) -> str | None:
    """What the process or the system said about the crash, the more telling first."""
    said = loose.inner(body, "asi")
    information = "\n".join(line for library in said for line in loose.texts(said, library)).rstrip()
    return (
        information
        or _thrown(loose.inner(body, "exceptionReason"))
        or loose.text(exception, "message")
        or loose.text(exception, "subtype")
        or _termination(loose.inner(body, "termination"))
        or loose.text(exception, "codes")
    )


def _thrown(thrown: Loose) -> str | None:
    name, message = loose.text(thrown, "name"), loose.text(thrown, "composed_message")
    return ": ".join(word for word in (name, message) if word) or None


def _termination(ended: Loose) -> str | None:
    """Why the system ended the process: `Namespace SIGNAL, Code 11, Segmentation fault: 11`."""
    namespace, code = loose.text(ended, "namespace"), loose.number(ended, "code")
    words = [f"Namespace {namespace}" if namespace else None, None if code is None else f"Code {code:#x}"]
    head = ", ".join(word for word in (*words, loose.text(ended, "indicator")) if word)
    return (
        "\n".join(line for line in (head, *loose.texts(ended, "reasons"), *loose.texts(ended, "details")) if line)
        or None
    )
