"""The process's memory: found by address, whatever list holds it, and never copied."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from engine.minidump import Memory, open_minidump
from engine.minidump.memory import Block
from tests.engine.minidump.writer import Writer


def test_regions_of_both_lists_are_found_by_address():
    writer = Writer().memory(0x1000, b"narrow").memory64(0x2000, b"wide").memory64(0x3000, b"wider")
    memory = open_minidump(writer.build()).memory
    assert [bytes(region.data) for region in memory] == [b"narrow", b"wide", b"wider"]
    assert bytes(memory.find(0x1005).data) == b"narrow"
    assert (memory.find(0x2003).start, memory.find(0x2003).end) == (0x2000, 0x2004)
    assert [memory.find(address) for address in (0, 0xFFF, 0x1006, 0x2004, 2**64)] == [None] * 5


def test_memory_is_a_view_of_the_file():
    data = Writer().memory(0x1000, b"narrow").build()
    assert open_minidump(data).memory.find(0x1000).data.obj is data


def test_of_memory_that_overlaps_the_earlier_block_keeps_what_both_hold():
    writer = (
        Writer().memory(0x1000, b"aaaaaaaa").memory(0x1004, b"bbbbbbbb").memory(0x1002, b"cc").memory(0x1000, b"dd")
    )
    memory = open_minidump(writer.build()).memory
    assert [(region.start, bytes(region.data)) for region in memory] == [(0x1000, b"aaaaaaaa"), (0x1008, b"bbbb")]


def test_a_block_beyond_the_end_is_left_out():
    row = struct.pack("<QII", 0x9000, 100, 0xFFFFFF00)
    assert len(open_minidump(Writer().stream(5, struct.pack("<I", 1) + row).build()).memory) == 0


def test_the_last_block_of_the_long_list_is_shortened_where_the_file_ends():
    size = len(Writer().stream(9, bytes(48)).build())
    listed = struct.pack("<QQ", 2, size) + struct.pack("<QQQQ", 0x1000, 5, 0x2000, 600)
    cut = Writer().stream(9, listed).build() + b"firstsec"
    assert [bytes(region.data) for region in open_minidump(cut).memory] == [b"first", b"sec"]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12))
def test_every_address_is_found_that_some_block_holds(places: list[tuple[int, int]]):
    data = memoryview(bytes(100))
    memory = Memory(data, [Block(start, size, start) for start, size in places])
    held = {address for start, size in places for address in range(start, start + size)}
    assert {address for address in range(100) if memory.find(address)} == held
    regions = list(memory)
    assert all(before.end <= after.start for before, after in zip(regions, regions[1:], strict=False))
    for address in held:
        region = memory.find(address)
        assert region.start <= address < region.end
