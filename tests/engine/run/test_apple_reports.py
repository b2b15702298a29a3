"""What an Apple crash report says, as the answer tells it."""

from __future__ import annotations

import pytest

from engine.errors import BadReport
from tests.engine.run.reports import ANSWER_ALL, ask_apple

UUID = "2d903291-397d-3d14-bfca-52c7fb8c5e00"
REPORT = f"""\
Incident Identifier: 21170B84-A86B-4A1A-8B85-4B25F25F5C4B
Hardware Model:      iPhone8,1
Process:             App [271]
Code Type:           {{code_type}}
Date/Time:           2017-09-07 02:53:42 +0000
OS Version:          Mac OS X 10.12.6 (16G29)
Report Version:      104

Exception Type:  SIGSEGV
Exception Codes: SEGV_MAPERR at 0x45

Application Specific Information:
abort() called
  for a reason

Thread 0 Crashed: main
0   App                 0x0000000100001e4b 0x100000000 + 7755
1   App                 0x0000000100001f00 0x100000000 + 7936
2   ???                 0x0000000300000000 0 + 0

Thread 1:
0   libother.dylib      0x0000000200000010 0x200000000 + 16

Thread 0 crashed with X86 Thread State (64-bit):
   rip: 0x0000000100001e4b rbp: 0x00007fff5fbff6a0

Binary Images:
       0x100000000 -        0x100005fff App x86_64  <{UUID.replace("-", "")}> /Applications/App.app/App
       0x200000000 -        0x200000fff libother.dylib x86_64  <{"ab" * 16}> /usr/lib/libother.dylib
"""


@pytest.fixture
def answer(engine):
    return ask_apple(engine, REPORT.format(code_type="X86-64 (Native)").encode(), options=ANSWER_ALL)


def test_the_answer_tells_of_the_crash_in_the_order_of_the_protocol(answer):
    assert list(answer) == [
        "status", "timestamp", "system_info", "crashed", "crash_reason", "crash_details", "stacktraces", "modules",
    ]  # fmt: skip
    assert answer["timestamp"] == 1504752822
    assert answer["crashed"] is True
    assert answer["crash_reason"] == "SIGSEGV"
    assert answer["crash_details"] == "abort() called\n  for a reason"
    assert answer["system_info"] == {
        "os_name": "macOS",
        "os_version": "10.12.6",
        "os_build": "16G29",
        "cpu_arch": "x86_64",
        "device_model": "iPhone8,1",
    }


def test_threads_say_which_one_crashed_and_with_which_registers(answer):
    first, second = answer["stacktraces"]
    assert (first["thread_id"], first["is_requesting"], second["thread_id"], second["is_requesting"]) == (
        0,
        True,
        1,
        False,
    )
    assert first["registers"] == {"rbp": "0x7fff5fbff6a0", "rip": "0x100001e4b"}
    assert "registers" not in second


def test_frames_have_addresses_and_packages_and_no_names_of_the_report(answer):
    frames = answer["stacktraces"][0]["frames"]
    assert [frame["status"] for frame in frames] == ["missing", "missing", "unknown_image"]
    assert [frame.get("package") for frame in frames] == ["/Applications/App.app/App"] * 2 + [None]
    assert [frame["instruction_addr"] for frame in frames] == ["0x100001e4b", "0x100001f00", "0x300000000"]
    assert not [frame for frame in frames if "function" in frame or "symbol" in frame or "trust" in frame]


def test_images_are_mach_o_modules_by_their_uuid(answer):
    module = answer["modules"][0]
    assert {name: module[name] for name in ("type", "code_id", "code_file", "debug_id", "debug_file")} == {
        "type": "macho",
        "code_id": UUID.replace("-", ""),
        "code_file": "/Applications/App.app/App",
        "debug_id": UUID,
        "debug_file": "/Applications/App.app/App",
    }
    assert (module["image_addr"], module["image_size"]) == ("0x100000000", 0x5FFF)
    assert "unwind_status" not in module
    assert module.keys().isdisjoint({"candidates"})


def test_what_is_no_report_is_refused_with_the_protocols_words(engine):
    with pytest.raises(BadReport) as refused:
        ask_apple(engine, b"Incident Identifier: not one\n")
    assert refused.value.message == "failed to parse apple crash report"


def test_a_report_may_lie_in_a_file(engine, tmp_path, answer):
    path = tmp_path / "report.crash"
    path.write_text(REPORT.format(code_type="X86-64 (Native)"))
    assert ask_apple(engine, path, options=ANSWER_ALL) == answer
