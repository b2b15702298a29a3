"""JSON reports: the same crash as text, the forms around the JSON, and fields of any type."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from engine.apple import LAST_EXCEPTION, AppleFrame, UnreadableReport, WrongKindOfReport, parse_report
from tests.engine.apple.reports import IPS_HEADER, SHOP_UUID, ips_body, ips_report, ips_text, text_report


def test_it_says_what_the_text_of_the_same_crash_says():
    text, ips = parse_report(text_report()), parse_report(ips_report())
    assert (ips.timestamp, ips.system, ips.crash_reason) == (text.timestamp, text.system, text.crash_reason)
    assert ips.threads[0].frames == text.threads[0].frames
    assert ips.threads[1] == text.threads[1]
    assert ips.threads[0].queue == text.threads[0].queue
    assert ips.images == tuple(replace(image, size=image.size + 1) for image in text.images)


def test_registers_are_those_of_the_text_but_for_what_only_text_has():
    text, ips = parse_report(text_report()).threads[0], parse_report(ips_report()).threads[0]
    assert ips.registers == {name: value for name, value in text.registers.items() if name != "esr"}


def test_registers_of_intel_processors_have_their_names():
    state = {"rip": {"value": 1}, "rflags": {"value": 2}, "r8": {"value": 3}, "cpu": {"value": 4}, "flavor": "x86"}
    threads = [{"triggered": True, "threadState": state, "frames": []}]
    assert parse_report(ips_report(threads=threads)).threads[0].registers == {"rip": 1, "rflags": 2, "r8": 3}


def test_the_stack_of_an_exception_is_a_thread_at_the_end():
    thrown = parse_report(ips_report()).threads[-1]
    assert (thrown.id, thrown.name, thrown.frames) == (
        None,
        LAST_EXCEPTION,
        (AppleFrame(0x100A41000, "Shop Online", "-[Cart add:]"),),
    )


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({}, "*** Terminating app\nabort() called"),
        (
            {"asi": {}, "exceptionReason": {"name": "NSRangeException", "composed_message": "beyond"}},
            "NSRangeException: beyond",
        ),
        ({"asi": None, "exception": {"subtype": "KERN_INVALID_ADDRESS at 0x8"}}, "KERN_INVALID_ADDRESS at 0x8"),
        (
            {"asi": 1, "termination": {"namespace": "SPRINGBOARD", "code": 0x8BADF00D, "reasons": ["too slow"]}},
            "Namespace SPRINGBOARD, Code 0x8badf00d\ntoo slow",
        ),
        ({"asi": [], "termination": {}}, "0x0, 0x0"),
    ],
)
def test_details_are_the_most_telling_there_is(fields, details):
    assert parse_report(ips_report(**fields)).crash_details == details


@pytest.mark.parametrize(
    "data",
    [
        ips_text(),
        json.dumps(ips_body()).encode(),
        b"\xef\xbb\xbf" + ips_report().replace(b"\n", b"\r\n"),
        ips_report() + b"\n\n",
        json.dumps(IPS_HEADER).encode() + b"\n" + json.dumps(ips_body()).encode() + b"\n",
    ],
    ids=["no header", "one line", "windows", "blank lines after", "two lines"],
)
def test_the_header_line_and_the_layout_do_not_matter(data):
    assert parse_report(data) == parse_report(ips_report())


def test_the_header_line_fills_what_the_report_lacks():
    report = parse_report(ips_report(captureTime=None, osVersion=None))
    assert (report.timestamp, report.system.os_name, report.system.os_build) == (1795271201, "iOS", "21E219")


def test_text_may_follow_the_header_line():
    header = json.dumps(IPS_HEADER | {"bug_type": "109"}).encode()
    assert parse_report(header + b"\n" + text_report()) == parse_report(text_report())


@pytest.mark.parametrize(
    ("number", "body", "kind"),
    [
        ("298", {"processes": [], "memoryStatus": {}}, "JetsamEvent"),
        ("288", {"processByPid": {}}, "stackshot"),
        ("999", {}, "bug_type 999"),
    ],
)
def test_reports_about_other_things_say_what_they_are(number, body, kind):
    data = json.dumps({"bug_type": number}) + "\n" + json.dumps(body)
    with pytest.raises(WrongKindOfReport, match=f"failed to parse apple crash report: .*{kind}.* no stacks"):
        parse_report(data.encode())


@pytest.mark.parametrize("wrong", [None, True, -1, 1.5, "x", [], {}, [[]], 2**70])
@pytest.mark.parametrize("field", sorted(ips_body()))
def test_a_field_of_another_type_costs_what_it_says(field, wrong):
    data = ips_report(**{field: wrong})
    if field == "threads" and not isinstance(wrong, list):
        with pytest.raises(WrongKindOfReport):
            parse_report(data)
        return
    report = parse_report(data)
    assert report.system.os_name == "iOS"


def test_images_that_are_nowhere_leave_their_frames_without_module():
    frames = [{"imageOffset": 5, "imageIndex": 99}, {"imageOffset": 6}, {"imageOffset": -1, "imageIndex": 0}]
    report = parse_report(ips_report(threads=[{"frames": frames}]))
    assert [frame.package for frame in report.threads[0].frames] == [None, None, "Shop Online"]
    assert [frame.address for frame in report.threads[0].frames] == [5, 6, 0x100A3BFFF]


def test_ids_that_are_none_leave_an_image_without_one():
    images = [{"base": 1, "uuid": "x"}, {"base": 2, "uuid": SHOP_UUID}, {"base": 3, "name": "n"}]
    found = parse_report(ips_report(usedImages=images)).images
    assert [(image.uuid, image.path) for image in found] == [(None, ""), (UUID(SHOP_UUID), ""), (None, "n")]


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"{}{}",
        ips_report()[:-5],
        b'{"a":"\\ud800"}\n{"threads":[]}x',
        b'{"threads":' + b"[" * 100_000,
        b'{"threads":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"threads":[]' + b" " * (9 << 20) + b"}",
    ],
    ids=["cut at once", "two objects", "cut late", "half a pair", "deep and cut", "deep", "large"],
)
def test_broken_json_is_unreadable(data):
    with pytest.raises(UnreadableReport) as error:
        parse_report(data)
    assert error.value.message == "failed to parse apple crash report"
