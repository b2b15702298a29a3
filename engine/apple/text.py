"""Text reports (`.crash`), read line by line.

A report is a header of `Key: value` lines and sections that begin with a heading. Whatever is not recognised is passed
over; what was recognised and is wrong (an id, the date, the version) makes the whole report unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from engine.apple.report import (
    MAX_FRAMES,
    MAX_IMAGES,
    UNKNOWN_ARCH,
    AppleFrame,
    AppleImage,
    AppleReport,
    AppleSystem,
    UnreadableReport,
    exception_thread,
)
from engine.apple.text_lines import read_addresses, read_frame, read_image, read_registers
from engine.apple.text_threads import TextThreads
from engine.apple.values import parse_arch, parse_system, parse_time, parse_uuid

MAX_BYTES = 64 << 20
_LONGEST_LINE = 1 << 14
_LONGEST_INFORMATION = 1 << 20
_MAX_KEYS = 1000
_HEADING_STARTS = frozenset("TUBAFLKVEM")
_THREAD_STATE = re.compile(r"(?:Thread (\d{1,10})|Unknown thread) crashed with ", re.ASCII)
_THREAD = re.compile(r"Thread (\d{1,10})(?: (name|[A-Z][a-z]{1,20}))?:{1,2}(.*)", re.ASCII | re.DOTALL)
_BACKTRACE = re.compile(r"Last Exception Backtrace:|Application Specific Backtrace \d{1,4}:", re.ASCII)
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9 /_()-]{0,63}):(?!:)\s*", re.ASCII)
# Headings of what is of no use here, but ends the section before.
_OTHERS = (
    "Filtered syslog:",
    "Application Specific Signatures:",
    "Kernel Triage:",
    "VM Region Summary:",
    "VM Region Info:",
    "External Modification Summary:",
    "EOF",
    "Model:",
)
# What tells a report from any text with colons in it.
_TELLING_KEYS = frozenset({"Incident Identifier", "Exception Type", "Report Version", "OS Version", "Date/Time"})


def parse_text(data: bytes) -> AppleReport:
    """Read a text report. Raises UnreadableReport; takes time and memory in proportion to the lines."""
    if len(data) > MAX_BYTES:
        raise UnreadableReport(f"the report has more than {MAX_BYTES} bytes")
    reader = _TextReader()
    for line in _lines(data):
        reader.take(line)
    return reader.report()


def _lines(data: bytes) -> Iterator[str]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield data[start : min(end, start + _LONGEST_LINE)].decode("utf-8", "replace").rstrip()
        start = end + 1


class _TextReader:
    """Goes from section to section; `_section` takes the lines of the one it is in."""

    def __init__(self) -> None:
        self._header: dict[str, str] = {}
        self._threads = TextThreads()
        self._thrown: list[AppleFrame] = []
        self._images: list[AppleImage] = []
        self._arch = UNKNOWN_ARCH
        self._information: list[str] | None = None
        self._information_size = 0
        self._frames = 0
        self._section = self._take_header

    def take(self, line: str) -> None:
        if line and line[0] in _HEADING_STARTS and self._open_section(line):
            return
        self._section(line)

    def _open_section(self, line: str) -> bool:
        """Whether the line is a heading, whose section then is open."""
        if line.startswith(("Thread ", "Unknown thread ")):
            return self._open_thread(line)
        if line == "Binary Images:":
            self._section = self._take_image
        elif line == "Application Specific Information:" and self._information is None:
            self._information = []
            self._section = self._take_information
        elif _BACKTRACE.match(line):
            self._section = self._take_thrown if not self._thrown else self._take_nothing
            self._section(line[line.index(":") + 1 :])
        elif line.startswith(_OTHERS) and self._section != self._take_header:
            self._section = self._take_nothing
        else:
            return False
        return True

    def _open_thread(self, line: str) -> bool:
        state = _THREAD_STATE.match(line)
        if state is not None:
            self._threads.open_state(int(state[1]) if state[1] else None)
            self._section = self._take_registers
            return True
        found = _THREAD.fullmatch(line)
        if found is None:
            return False
        self._threads.open(int(found[1]), found[2] or "", found[3])
        self._section = self._take_frame
        return True

    def _take_header(self, line: str) -> None:
        found = _KEY.match(line)
        if found is not None and len(self._header) < _MAX_KEYS:
            self._header[found[1]] = line[found.end() :]

    def _take_frame(self, line: str) -> None:
        frame = read_frame(line)
        if frame is not None:
            self._count(1)
            self._threads.add(frame)

    def _take_thrown(self, line: str) -> None:
        frame = read_frame(line)
        frames = [frame] if frame is not None else read_addresses(line)
        self._count(len(frames))
        self._thrown.extend(frames)

    def _count(self, frames: int) -> None:
        self._frames += frames
        if self._frames > MAX_FRAMES:
            raise UnreadableReport(f"the report has more than {MAX_FRAMES} frames")

    def _take_registers(self, line: str) -> None:
        if not line:
            self._section = self._take_nothing
        self._threads.add_registers(read_registers(line))

    def _take_image(self, line: str) -> None:
        found = read_image(line)
        if found is None:
            return
        self._images.append(found.image)
        if len(self._images) > MAX_IMAGES:
            raise UnreadableReport(f"the report has more than {MAX_IMAGES} images")
        if self._arch == UNKNOWN_ARCH:
            self._arch = found.arch

    def _take_information(self, line: str) -> None:
        self._information_size += len(line) + 1
        if self._information is not None and self._information_size <= _LONGEST_INFORMATION:
            self._information.append(line)

    def _take_nothing(self, line: str) -> None:
        """A section that is of no use here."""

    def report(self) -> AppleReport:
        threads = self._threads.finished()
        if not threads and not self._images and not _TELLING_KEYS & self._header.keys():
            raise UnreadableReport("there is nothing of a crash report in it")
        self._check_header()
        return AppleReport(
            timestamp=parse_time(self._header.get("Date/Time", "")),
            system=self._system(),
            crash_reason=self._header.get("Exception Type") or None,
            crash_details=self._details(),
            threads=threads + exception_thread(tuple(self._thrown)),
            images=tuple(self._images),
        )

    def _check_header(self) -> None:
        identifier = self._header.get("Incident Identifier")
        if identifier is not None and parse_uuid(identifier) is None:
            raise UnreadableReport("the Incident Identifier is not a UUID")
        version = self._header.get("Report Version")
        if version is not None and not (version.isascii() and version.isdigit() and len(version) < 11):
            raise UnreadableReport("the Report Version is not a number")
        date = self._header.get("Date/Time")
        if date is not None and parse_time(date) is None:
            raise UnreadableReport("the Date/Time is not a date")

    def _system(self) -> AppleSystem:
        arch = parse_arch(self._header.get("Code Type", ""))
        return replace(
            parse_system(self._header.get("OS Version", "")),
            cpu_arch=arch if arch != UNKNOWN_ARCH else self._arch,
            device_model=self._header.get("Hardware Model", ""),
        )

    def _details(self) -> str | None:
        given = "\n".join(self._information or ()).removesuffix("\n")
        codes = ("Exception Message", "Exception Subtype", "Exception Codes")
        return given or next((self._header[key] for key in codes if self._header.get(key)), None)
