"""Reports of PLCrashReporter (`.plcrash`): seven letters, a version, and one message of Protocol Buffers.

Field numbers are those of the project's published `crash_report.proto`. Frames are return addresses, already unwound.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from engine.apple.protobuf import Message
from engine.apple.report import (
    MAX_FRAMES,
    MAX_IMAGES,
    MAX_THREADS,
    UNKNOWN_ARCH,
    AppleFrame,
    AppleImage,
    AppleReport,
    AppleSystem,
    AppleThread,
    UnreadableReport,
    exception_thread,
)
from engine.apple.values import cpu_type_arch, mach_exception_name, reason

MAGIC = b"plcrash"
MAX_BYTES = 16 << 20
_VERSION = 1
# In CrashReport.
_SYSTEM, _THREADS, _IMAGES, _EXCEPTION, _SIGNAL, _MACHINE = 1, 3, 4, 5, 6, 8
_SYSTEMS = {0: "macOS", 1: "iOS", 2: "iOS", 4: "tvOS"}
# What versions before machine_info wrote into system_info.
_ARCHITECTURES = {0: "x86", 1: "x86_64", 2: "armv6", 3: "ppc", 4: "ppc64", 5: "armv7"}
_MACH_ENCODING = 1


def parse_plcrash(data: memoryview) -> AppleReport:
    """Read a report that begins with MAGIC. Raises UnreadableReport."""
    if len(data) > MAX_BYTES:
        raise UnreadableReport(f"the .plcrash report has more than {MAX_BYTES} bytes")
    if len(data) <= len(MAGIC) or data[len(MAGIC)] != _VERSION:
        raise UnreadableReport("the .plcrash report has a version that is not known")
    return _PlcrashReader(Message(data[len(MAGIC) + 1 :])).report()


class _PlcrashReader:
    def __init__(self, report: Message) -> None:
        self._report = report
        self._images = _images(report)
        self._by_start = sorted(self._images, key=lambda image: image.start)
        self._starts = [image.start for image in self._by_start]
        self._frames_left = MAX_FRAMES

    def report(self) -> AppleReport:
        signal = self._report.message(_SIGNAL)
        thrown = self._report.message(_EXCEPTION)
        mach = next(signal.messages(4), None)
        kind = mach.number(1) if mach else None
        return AppleReport(
            timestamp=self._report.message(_SYSTEM).number(4),
            system=_system(self._report),
            crash_reason=reason(None if kind is None else mach_exception_name(kind), signal.text(1)),
            crash_details=_details(thrown, signal),
            threads=tuple(self._threads()) + exception_thread(self._frames(thrown)),
            images=self._images,
        )

    def _threads(self) -> Iterator[AppleThread]:
        for count, thread in enumerate(self._report.messages(_THREADS)):
            if count == MAX_THREADS:
                raise UnreadableReport(f"the report has more than {MAX_THREADS} threads")
            registers = {entry.text(1): entry.number(2) for entry in thread.messages(4)}
            yield AppleThread(
                id=thread.number(1) or 0,
                name=None,
                crashed=bool(thread.number(3)),
                registers={name: value for name, value in registers.items() if name and value is not None},
                frames=self._frames(thread, field=2),
            )

    def _frames(self, of: Message, *, field: int = 3) -> tuple[AppleFrame, ...]:
        return tuple(self._frame(frame) for frame in of.messages(field))

    def _frame(self, frame: Message) -> AppleFrame:
        self._frames_left -= 1
        if self._frames_left < 0:
            raise UnreadableReport(f"the report has more than {MAX_FRAMES} frames")
        address = frame.number(3) or 0
        return AppleFrame(address, self._package(address), frame.message(6).text(1))

    def _package(self, address: int) -> str | None:
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._starts[at] + self._by_start[at].size:
            return None
        return self._by_start[at].path.rpartition("/")[2] or None


def _images(report: Message) -> tuple[AppleImage, ...]:
    images: list[AppleImage] = []
    for image in report.messages(_IMAGES):
        if len(images) == MAX_IMAGES:
            raise UnreadableReport(f"the report has more than {MAX_IMAGES} images")
        images.append(AppleImage(image.text(3) or "", image.uuid(4), image.number(1) or 0, image.number(2) or 0))
    return tuple(images)


def _system(report: Message) -> AppleSystem:
    system, machine = report.message(_SYSTEM), report.message(_MACHINE)
    return AppleSystem(
        os_name=_SYSTEMS.get(system.number(1) or 0, "") if system.number(1) is not None else "",
        os_version=system.text(2) or "",
        os_build=system.text(5) or "",
        cpu_arch=_arch(report, system, machine),
        device_model=machine.text(1) or "",
    )


def _arch(report: Message, system: Message, machine: Message) -> str:
    """The processor of the machine, of the old field, or of the first image that names one."""
    known = _processor(machine.message(2))
    if known == UNKNOWN_ARCH:
        known = _ARCHITECTURES.get(-1 if (old := system.number(3)) is None else old, UNKNOWN_ARCH)
    if known == UNKNOWN_ARCH:
        known = next(map(_processor, (image.message(5) for image in report.messages(_IMAGES))), UNKNOWN_ARCH)
    return known


def _processor(processor: Message) -> str:
    if processor.number(1) != _MACH_ENCODING:
        return UNKNOWN_ARCH
    return cpu_type_arch(processor.number(2) or 0)


def _details(thrown: Message, signal: Message) -> str | None:
    """The uncaught exception as Apple's reports tell about it; without one, the code of the signal."""
    name, said = thrown.text(1), thrown.text(2)
    if name or said:
        return f"*** Terminating app due to uncaught exception '{name or ''}', reason: '{said or ''}'"
    code, address = signal.text(2), signal.number(3)
    return None if code is None else code if address is None else f"{code} at {address:#x}"
