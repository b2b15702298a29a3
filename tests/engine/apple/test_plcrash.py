"""Reports of PLCrashReporter, as the official decoder reads the same bytes."""

from __future__ import annotations

from uuid import UUID

import pytest

from engine.apple import LAST_EXCEPTION, AppleFrame, AppleImage, AppleSystem, UnreadableReport, parse_report
from tests.engine.apple.reports import plcrash_report


def varint(number):
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    return b"".join(field(number, value) for number, value in fields)


def report_of(*fields):
    return parse_report(b"plcrash\x01" + message(*fields))


def test_the_sample_is_read_as_the_official_decoder_reads_it():
    report = parse_report(plcrash_report())
    assert report.timestamp == 1795240000
    assert report.system == AppleSystem("iOS", "17.4", "21E219", "arm64", "iPhone15,2")
    assert report.crash_reason == "EXC_CRASH (SIGABRT)"
    assert report.crash_details == (
        "*** Terminating app due to uncaught exception 'NSInvalidArgumentException', "
        "reason: '*** -[__NSArrayM insertObject:atIndex:]: object cannot be nil'"
    )
    assert report.images == (
        AppleImage(
            "/private/var/containers/Bundle/Application/X/Shop.app/Shop",
            UUID("6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a"),
            4305698816,
            81920,
        ),
        AppleImage("/usr/lib/system/libsystem_kernel.dylib", UUID(bytes=bytes(range(16))), 7329546240, 229376),
    )


def test_the_threads_of_the_sample():
    first, second, thrown = parse_report(plcrash_report()).threads
    assert (first.id, first.crashed, second.id, second.crashed) == (0, True, 1, False)
    assert first.registers == {"pc": 4305719056, "lr": 4305718912, "sp": 6161177120, "fp": 6161177168, "x0": 0}
    assert first.frames == (
        AppleFrame(4305719056, "Shop", "-[Cart checkout:]"),
        AppleFrame(4305718912, "Shop", "main"),
        AppleFrame(7329550900, "libsystem_kernel.dylib", None),
    )
    assert second.frames[0] == AppleFrame(7329546376, "libsystem_kernel.dylib", "__workq_kernreturn")
    assert (thrown.id, thrown.name) == (None, LAST_EXCEPTION)
    assert [frame.address for frame in thrown.frames] == [4305719296, 4305718912]


def test_old_reports_name_their_processor_in_the_system():
    system = message((1, 0), (2, b"10.6"), (3, 1), (4, 5))
    report = report_of((1, system))
    assert report.system == AppleSystem("macOS", "10.6", "", "x86_64", "")


def test_without_a_machine_an_image_tells_the_processor():
    report = report_of((4, message((1, 1), (2, 2), (3, b"/x"), (5, message((1, 1), (2, 0x0100000C))))))
    assert report.system.cpu_arch == "arm64"


def test_a_signal_alone_is_the_reason():
    report = report_of((6, message((1, b"SIGSEGV"), (2, b"SEGV_MAPERR"), (3, 0x88))))
    assert (report.crash_reason, report.crash_details) == ("SIGSEGV", "SEGV_MAPERR at 0x88")


def test_frames_in_no_image_have_no_module():
    image = (4, message((1, 0x1000), (2, 0x100), (3, b"/a/b")))
    thread = (3, message(*((2, message((3, at))) for at in (0xFFF, 0x1000, 0x10FF, 0x1100))))
    assert [frame.package for frame in report_of(image, thread).threads[0].frames] == [None, "b", "b", None]


def test_fields_that_are_not_known_are_passed_over():
    system = message((4, 7)) + varint(99 << 3 | 1) + b"\1" * 8 + varint(98 << 3 | 5) + b"\1" * 4 + field(97, b"x")
    assert report_of((1, system)).timestamp == 7


@pytest.mark.parametrize(
    "data",
    [
        b"plcrash",
        b"plcrash\x02",
        b"plcrash\x01\x0a",
        b"plcrash\x01\x0a\x05abc",
        b"plcrash\x01\x0b",
        b"plcrash\x01" + b"\xff" * 40,
        b"plcrash\x01\x0a" + b"\xff" * 9 + b"\x01",
        b"plcrash\x01\x09abc",
        plcrash_report()[:-3],
        b"plcrash\x01" + b"\x08\x01" * 260_000,
        b"plcrash\x01" + b"\0" * (40 << 20),
    ],
    ids=range(11),
)
def test_broken_reports_are_unreadable(data):
    with pytest.raises(UnreadableReport) as error:
        parse_report(data)
    assert error.value.message == "failed to parse apple crash report"
