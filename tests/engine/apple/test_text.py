"""Text reports: the sections, the lines in them, and what makes a report unreadable."""

from __future__ import annotations

import zlib
from uuid import UUID

import pytest

from engine.apple import LAST_EXCEPTION, AppleFrame, AppleSystem, UnreadableReport, parse_report
from engine.apple.text_lines import read_frame, read_image
from tests.engine.apple.reports import (
    HEADER,
    INFORMATION,
    KERNEL,
    KERNEL_PATH,
    KERNEL_UUID,
    SHOP,
    SHOP_PATH,
    SHOP_UUID,
    THREADS,
    text_report,
)
from tests.engine.shared_fixtures import shared


def parse(text):
    return parse_report(text.encode())


def test_the_header_tells_time_system_and_reason():
    report = parse_report(text_report())
    assert report.timestamp == 1795271200
    assert report.system == AppleSystem("iOS", "17.4", "21E219", "arm64", "iPhone15,2")
    assert report.crash_reason == "EXC_CRASH (SIGABRT)"


def test_threads_come_with_names_queues_and_the_crashed_one_with_registers():
    first, second, third, _ = parse_report(text_report()).threads
    assert (first.id, first.name, first.queue, first.crashed) == (0, None, "com.apple.main-thread", True)
    assert (second.id, second.name, second.crashed) == (1, "com.apple.uikit.eventfetch-thread", False)
    assert (third.id, third.name, third.queue) == (2, "Loader", "com.example.loading (QOS: UTILITY)")
    assert first.registers == {
        "x0": 0,
        "x1": 255,
        "x2": 1,
        "fp": 0x16F3C1A50,
        "lr": 0x100A40E80,
        "sp": 0x16F3C1A20,
        "pc": 0x1B4E01234,
        "cpsr": 0x40001000,
        "esr": 0x56000080,
    }
    assert second.registers == third.registers == {}


def test_frames_have_addresses_modules_and_the_names_in_the_report():
    assert parse_report(text_report()).threads[0].frames == (
        AppleFrame(0x1B4E01234, "libsystem_kernel.dylib", "__pthread_kill"),
        AppleFrame(0x100A40F10, "Shop Online", None),
        AppleFrame(0x100A40E80, "Shop Online", "main"),
        AppleFrame(0x54485244, None, None),
    )


def test_the_stack_of_an_uncaught_exception_is_a_thread_at_the_end():
    thrown = parse_report(text_report()).threads[-1]
    assert (thrown.id, thrown.name, thrown.crashed) == (None, LAST_EXCEPTION, False)
    assert thrown.frames == (
        AppleFrame(0x1A0000100, "CoreFoundation", "__exceptionPreprocess"),
        AppleFrame(0x100A41000, "Shop Online", "-[Cart add:]"),
    )


@pytest.mark.parametrize(
    "thrown",
    [
        "Last Exception Backtrace:\n(0x100a41000 0x1a0000100)\n",
        "Last Exception Backtrace:\n(0x100a41000\n0x1a0000100)\n",
        "Last Exception Backtrace:  (0x100a41000 0x1a0000100)\n",
    ],
)
def test_the_stack_of_an_exception_may_be_plain_addresses(thrown):
    frames = parse_report(text_report(thrown=thrown)).threads[-1].frames
    assert [frame.address for frame in frames] == [0x100A41000, 0x1A0000100]


def test_a_backtrace_that_the_application_left_is_the_stack_of_its_exception():
    thrown = "Application Specific Backtrace 0:\n0  Shop Online  0x100a41000 -[Cart add:] + 320\n"
    assert parse_report(text_report(thrown=thrown)).threads[-1].frames[0].symbol == "-[Cart add:]"


def test_images_have_path_id_start_and_the_distance_to_their_end():
    shop, kernel = parse_report(text_report()).images
    assert (shop.path, shop.uuid, shop.start, shop.size) == (SHOP_PATH, UUID(SHOP_UUID), SHOP, 0x13FFF)
    assert (kernel.path, kernel.uuid, kernel.start, kernel.size) == (KERNEL_PATH, UUID(KERNEL_UUID), KERNEL, 0x37FFF)


@pytest.mark.parametrize(
    ("line", "path", "uuid", "arch"),
    [
        (
            "0x10864e000 - 0x10ee0ffff +Yet Another x86_64 (400.9.4 - 1.0.0) <2d903291397d3d14bfca52c7fb8c5e00> /a b/c",
            "/a b/c",
            "2d903291-397d-3d14-bfca-52c7fb8c5e00",
            "x86_64",
        ),
        (
            " 0x1 - 0x2  com.apple.Foundation (6.9 - 1153.20) <F0FF3A5D-C5B7-34A1-9319-DE1EF928E58E> /System/F",
            "/System/F",
            "f0ff3a5d-c5b7-34a1-9319-de1ef928e58e",
            "unknown",
        ),
        ("0x1000 - 0x2000 *Shop armv7s  <6e3a1c529b0f4c7e8a550d1f2e3c4b5a> /v/Shop", "/v/Shop", SHOP_UUID, "armv7s"),
        ("0x8fe00000 - 0x8fe4162b  dyld ??? (???) /usr/lib/dyld", "/usr/lib/dyld", None, "unknown"),
        ("0x1000 - 0x2000 Shop arm64 <00000000000000000000000000000000> /v/Shop", "/v/Shop", None, "arm64"),
        ("0x1000 - 0x2000 My Shop arm64 <6e3a1c529b0f4c7e8a550d1f2e3c4b5a>", "My Shop", SHOP_UUID, "arm64"),
    ],
)
def test_lines_of_images_take_many_forms(line, path, uuid, arch):
    found = read_image(line)
    assert (found.image.path, found.arch) == (path, arch)
    assert found.image.uuid == (UUID(uuid) if uuid else None)


@pytest.mark.parametrize("line", ["", "Some text", "0x12 -", "0x12 - 0x1g foo <x>", "0x1234567890abcdef0 - 0x2 x <y>"])
def test_other_lines_are_no_images(line):
    assert read_image(line) is None


@pytest.mark.parametrize(
    ("line", "address", "package", "symbol"),
    [
        ("0   Google Chrome He.. \t0x000000010abc 0x1 + 2", 0x10ABC, "Google Chrome He..", None),
        ("12 dyld 0xABC start + 12", 0xABC, "dyld", "start"),
        ("3   Shop 0x1 Cart.add(_:) + 20 + 4 (Cart.swift:3)", 1, "Shop", "Cart.add(_:) + 20"),
        ("3   Shop 0x1 operator+ (in Shop)", 1, "Shop", "operator+ (in Shop)"),
        ("3   ??? 0xffffffffffffffff ??? + 1", 2**64 - 1, None, None),
    ],
)
def test_lines_of_frames_take_many_forms(line, address, package, symbol):
    assert read_frame(line) == AppleFrame(address, package, symbol)


@pytest.mark.parametrize("line", ["", "0", "0 Shop", "Shop 0x12 main", "0 Shop 0x12345678901234567 main", "1 S 0xzz x"])
def test_other_lines_are_no_frames(line):
    assert read_frame(line) is None


def test_information_is_kept_with_its_blank_lines_and_indents():
    details = parse_report(text_report()).crash_details
    assert details == (
        "*** Terminating app due to uncaught exception 'NSRangeException',\n  reason: 'beyond bounds'\n\nabort() called"
    )


def test_information_runs_on_until_the_next_heading_and_loses_one_empty_line():
    report = parse_report(
        text_report(information="\nApplication Specific Information:\na\n\nKey: b  \n\n\n", thrown="")
    )
    assert report.crash_details == "a\n\nKey: b\n"


@pytest.mark.parametrize(
    ("lines", "details"),
    [
        ("Exception Message: m\nException Subtype: s\n", "m"),
        ("Exception Subtype: KERN_INVALID_ADDRESS at 0x0\n", "KERN_INVALID_ADDRESS at 0x0"),
        ("", "0x0000000000000000, 0x0000000000000000"),
    ],
)
def test_without_information_the_exception_tells_the_details(lines, details):
    assert parse_report(text_report(header=HEADER + lines, information="")).crash_details == details


@pytest.mark.parametrize(
    ("version", "system"),
    [
        ("Mac OS X 10.14.0 (18A391)", ("macOS", "10.14.0", "18A391")),
        ("macOS 14.4.1 (23E224)", ("macOS", "14.4.1", "23E224")),
        ("Something else", ("Something else", "", "")),
    ],
)
def test_systems_are_taken_apart_where_they_have_the_usual_form(version, system):
    found = parse_report(text_report(header=HEADER.replace("iPhone OS 17.4 (21E219)", version))).system
    assert (found.os_name, found.os_version, found.os_build) == system


def test_without_a_code_type_an_image_tells_the_processor():
    assert parse_report(text_report(header=HEADER.replace("Code Type", "Other"))).system.cpu_arch == "arm64"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("5C32DF84-31A0-43E7-87D0-239F7F594940", "[TODO]"),
        ("Report Version:      104", "Report Version:      one"),
        ("2026-11-21 15:26:40.1234 +0100", "yesterday"),
        ("2026-11-21", "2026-13-21"),
    ],
)
def test_a_header_that_is_wrong_makes_the_report_unreadable(right, wrong):
    with pytest.raises(UnreadableReport, match=r"\Afailed to parse apple crash report\Z"):
        parse_report(text_report(header=HEADER.replace(right, wrong)))


def test_an_image_with_a_wrong_id_makes_the_report_unreadable():
    with pytest.raises(UnreadableReport) as error:
        parse_report(text_report().replace(b"6e3a1c529b0f4c7e8a550d1f2e3c4b5a", b"6e3a"))
    assert "not a UUID" in error.value.detail


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello: world\n", b"\0" * 5000, b"MDMP\x93\xa7"])
def test_what_is_nothing_of_a_report_is_unreadable(data):
    with pytest.raises(UnreadableReport):
        parse_report(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"\n\n" + data,
        lambda data: memoryview(bytearray(data)),
    ],
    ids=["carriage returns", "byte order mark", "blank lines first", "a view"],
)
def test_the_wrapping_of_a_report_does_not_matter(change):
    assert parse_report(change(text_report())) == parse_report(text_report())


def test_text_that_is_not_utf8_costs_its_letters_alone():
    report = parse_report(
        text_report(information="\nApplication Specific Information:\ngr\xfcn\n\n").replace(b"\xc3", b"")
    )
    assert report.crash_details == "gr\N{REPLACEMENT CHARACTER}n"
    assert len(report.threads) == 4


def test_threads_alone_are_a_report():
    report = parse(THREADS)
    assert (report.timestamp, report.crash_reason, len(report.threads)) == (None, None, 3)


def test_registers_of_an_unknown_thread_go_to_the_crashed_one():
    report = parse(THREADS.replace("Thread 0 crashed with ARM", "Unknown thread crashed with ARM"))
    assert report.threads[0].registers["pc"] == 0x1B4E01234


def test_a_report_of_plcrashreporter_from_a_game_engine():
    unpacked = zlib.decompress(shared("fixtures/peers/symbolic/unreal/unreal_crash_apple").read_bytes())
    start, end = unpacked.index(b"Incident Identifier"), unpacked.index(b"info.txt")
    report = parse_report(unpacked[start:end])
    assert report.system == AppleSystem("macOS", "10.14.0", "18A391", "x86_64", "MacBookPro14,3")
    assert (report.timestamp, report.crash_reason, report.crash_details) == (
        1547055862,
        "SIGSEGV",
        "SEGV_MAPERR at 0x88",
    )
    assert [thread.id for thread in report.threads if thread.crashed] == [5]
    assert (len(report.threads), len(report.images), len(report.threads[5].frames)) == (55, 272, 19)
    assert report.threads[5].registers["rip"] == report.threads[5].frames[0].address


def test_information_without_an_end_does_not_grow_without_bounds():
    details = parse(
        f"Exception Type: X\nApplication Specific Information:\n{'x' * 99 + chr(10)}" * 20_000
    ).crash_details
    assert len(details) <= 1 << 20
    assert INFORMATION
