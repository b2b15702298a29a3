"""Which address of a module each frame is looked up at."""

from __future__ import annotations

import pytest

from tests.engine.run.serving import BASE, INLINED, NOTHING, PLAIN, frames, stack, with_fields


def test_the_adjusted_address_is_answered_and_failed_frames_keep_theirs(answer_to):
    found = frames(answer_to(stack(PLAIN, PLAIN, NOTHING)))
    assert [frame["instruction_addr"] for frame in found] == [
        hex(BASE + PLAIN),
        hex(BASE + PLAIN - 1),
        hex(BASE + NOTHING),
    ]
    assert found[2]["status"] == "missing_symbol"


def test_a_frame_may_say_how_its_address_is_meant(answer_to):
    told = [with_fields(PLAIN, adjust_instruction_addr=value) for value in (True, False)]
    found = frames(answer_to({"frames": [*told, with_fields(PLAIN)]}))
    assert [int(frame["instruction_addr"], 16) - BASE - PLAIN for frame in found] == [-1, 0, -1]
    assert [frame.get("adjust_instruction_addr") for frame in found] == [True, False, None]


def test_once_one_frame_says_so_the_first_frame_is_a_caller_too(answer_to):
    found = frames(answer_to({"frames": [with_fields(PLAIN), with_fields(PLAIN, adjust_instruction_addr=False)]}))
    assert [int(frame["instruction_addr"], 16) - BASE - PLAIN for frame in found] == [-1, 0]


@pytest.mark.parametrize(
    ("signal", "rip", "expected"), [(11, BASE, -1), (11, BASE + PLAIN, 0), (6, BASE, 0), (None, BASE, 0)]
)
def test_after_a_crash_signal_the_program_counter_decides(answer_to, signal, rip, expected):
    found = frames(answer_to(stack(PLAIN, registers={"rip": hex(rip)}), signal=signal))
    assert int(found[0]["instruction_addr"], 16) - BASE - PLAIN == expected


def test_an_address_before_the_module_is_no_symbol(answer_to):
    assert frames(answer_to(stack(PLAIN, 0)))[1]["status"] == "missing_symbol"


def test_relative_addresses_in_a_module_with_an_address_are_answered_absolutely(answer_to):
    asked = {
        "frames": [
            {"instruction_addr": PLAIN, "addr_mode": "rel:0"},
            {"instruction_addr": INLINED, "addr_mode": "rel:0"},
        ]
    }
    assert frames(answer_to(asked)) == frames(answer_to(stack(PLAIN, INLINED)))


def test_without_an_absolute_address_only_relative_frames_are_found(answer_to, ledger):
    asked = [{"instruction_addr": hex(PLAIN), "addr_mode": "rel:0"}] * 2 + [{"instruction_addr": hex(PLAIN)}]
    found = frames(answer_to({"frames": asked}, modules=[ledger.module(0)]))
    assert [frame["status"] for frame in found] == ["symbolicated", "symbolicated", "missing_symbol"]
    assert [frame.get("addr_mode") for frame in found] == ["rel:0", "rel:0", None]
    assert {frame["instruction_addr"] for frame in found} == {hex(PLAIN)}
    assert list(found[0])[:4] == ["status", "original_index", "addr_mode", "instruction_addr"]


def test_relative_to_a_module_that_is_not_there_is_in_no_module(answer_to):
    frame = frames(answer_to({"frames": [{"instruction_addr": 5, "addr_mode": "rel:7"}]}))[0]
    assert frame == {"status": "unknown_image", "original_index": 0, "addr_mode": "rel:7", "instruction_addr": "0x5"}
