"""The index of unwind rules: what it finds, which range wins, and what it makes of any text."""

from __future__ import annotations

import io
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.formats import cfi
from engine.formats.bytewise import FormatError
from engine.formats.cfi import CfiIndex, build_index
from engine.modules import DebugId

TEXT = b"""MODULE windows x86 3249D99D0C4049318610F4E4FB0B69361 C:\\projects\\crash tools\\crash.pdb
STACK CFI INIT 2000 40 .cfa: $rsp 8 + .ra: .cfa -8 + ^
STACK CFI 2001 .cfa: $rsp 16 + $rbp: .cfa -16 + ^
STACK CFI 2004 .cfa: $rbp 16 +
STACK CFI 203f .cfa: $rsp 8 +
STACK CFI INIT 1000 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^
STACK WIN 4 1000 114 11 0 8 0 0 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =
STACK WIN 4 100f f5 2 0 8 4 c 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =  $20 $T0 16 - ^ =
STACK WIN 4 1030 a 0 0 8 c c 10 1 inner
STACK WIN 0 1100 100 3 1 8 4 c 10 0 1
"""


def built(text):
    target = io.BytesIO()
    build_index(text, target)
    return target.getvalue()


def opened(text=TEXT):
    return CfiIndex(built(text))


def test_rules_are_those_of_the_range_and_of_the_rows_up_to_the_address():
    index = opened()

    init = ".cfa: $rsp 8 + .ra: .cfa -8 + ^"
    pushed = ".cfa: $rsp 16 + $rbp: .cfa -16 + ^"
    assert index.cfi(0x2000) == (0x2000, init)
    assert index.cfi(0x2003) == (0x2000, f"{init} {pushed}")
    assert index.cfi(0x203E) == (0x2000, f"{init} {pushed} .cfa: $rbp 16 +")
    assert index.cfi(0x203F) == (0x2000, f"{init} {pushed} .cfa: $rbp 16 + .cfa: $rsp 8 +")
    assert index.cfi(0x1005) == (0x1000, init)


@pytest.mark.parametrize("address", [0, 0xFFF, 0x1010, 0x1FFF, 0x2040, 1 << 40, -1])
def test_addresses_outside_of_every_range_have_no_rules(address):
    index = opened()

    assert index.cfi(address) is None
    assert not index.covers(address)


def test_a_range_covers_its_first_and_last_address():
    index = opened()

    assert [address for address in range(0xF00, 0x3000) if index.covers(address)] == [
        *range(0x1000, 0x1010),
        *range(0x2000, 0x2040),
    ]


def test_the_innermost_frame_data_wins():
    index = opened()

    assert index.win(0x1000).size == 0x114
    assert index.win(0x1010).size == 0xF5
    assert index.win(0x1035).program == "inner"
    assert index.win(0x103A).size == 0xF5
    assert index.win(0x1110).size == 0x114


def test_frame_data_comes_before_fpo():
    index = opened()

    assert index.win(0x1100).kind == 4
    assert index.win(0x1113).kind == 4
    assert index.win(0x1114).kind == 0


def test_all_fields_of_a_frame_data_record_are_read():
    record = opened().win(0x1035)

    assert (record.kind, record.start, record.size, record.prologue_size, record.epilogue_size) == (4, 0x1030, 10, 0, 0)
    assert (record.parameter_size, record.saved_register_size, record.local_size) == (8, 12, 12)
    assert (record.max_stack_size, record.program, record.allocates_base_pointer) == (16, "inner", False)


def test_a_record_without_a_program_says_whether_it_uses_the_base_pointer():
    record = opened().win(0x11FF)

    assert (record.program, record.allocates_base_pointer) == (None, True)


def test_the_module_record_is_read():
    name, debug_id = opened().module

    assert name == "C:\\projects\\crash tools\\crash.pdb"
    assert debug_id == DebugId.parse("3249d99d-0c40-4931-8610-f4e4fb0b6936-1")
    assert opened(b"STACK CFI INIT 1 1 .cfa: x\n").module is None


def test_an_index_says_whether_it_has_rules():
    assert (opened().is_empty, opened().has_rules) == (False, True)
    only_win = opened(b"STACK WIN 4 1000 114 11 0 8 0 0 0 1 $T0\n")
    assert (only_win.is_empty, only_win.has_rules) == (True, True)
    assert (opened(b"").is_empty, opened(b"").has_rules) == (True, False)
    module_only = opened(TEXT.partition(b"\n")[0])
    assert (module_only.has_rules, module_only.module[0]) == (False, "C:\\projects\\crash tools\\crash.pdb")


def test_blanks_and_line_ends_of_all_kinds_are_taken():
    index = opened(
        b"STACK CFI INIT  1000  20  .cfa: sp 0 +\r\nSTACK CFI      1004 .cfa: sp 16 +  \r\nSTACK CFI 1008 .ra: x30"
    )

    assert index.cfi(0x1008) == (0x1000, ".cfa: sp 0 + .cfa: sp 16 + .ra: x30")


def test_rows_out_of_order_hold_in_the_order_of_their_addresses():
    index = opened(b"STACK CFI INIT 10 10 a\nSTACK CFI 18 c\nSTACK CFI 14 b\nSTACK CFI 14 bb\n")

    assert index.cfi(0x1F) == (0x10, "a b bb c")
    assert index.cfi(0x15) == (0x10, "a b bb")


def test_the_most_specific_of_overlapping_ranges_wins():
    index = opened(
        b"STACK CFI INIT 0 100 outer\nSTACK CFI INIT 20 10 inner\n"
        b"STACK CFI INIT 28 20 later\nSTACK CFI INIT 28 20 again\n"
        b"STACK CFI INIT 28 40 longer\n"
    )

    found = {address: index.cfi(address)[1] for address in (0x0, 0x1F, 0x20, 0x27, 0x28, 0x47, 0x48, 0x67, 0x68, 0xFF)}
    assert list(found.values()) == [
        "outer", "outer", "inner", "inner", "later", "later", "longer", "longer", "outer", "outer",
    ]  # fmt: skip
    assert index.cfi(0x30)[0] == 0x28


def test_records_that_cannot_be_read_are_counted_and_the_others_stay():
    text = b"STACK CFI INIT x 1 a\nSTACK CFI INIT 10 10 a\nSTACK CFI INIT 20\nSTACK WIN 7 1 1 1\nSTACK WIN 4 zz\n"
    target = io.BytesIO()

    assert build_index(text, target) == 4
    index = CfiIndex(target.getvalue())
    assert index.skipped == 4
    assert index.cfi(0x10) == (0x10, "a")


def test_addresses_beyond_32_bits_are_kept():
    index = opened(b"STACK CFI INIT fffffff00000 1000 a\nSTACK CFI INIT 10 ffffffffffffffff b\n")

    assert index.cfi(0xFFFFFFF00FFF) == (0xFFFFFFF00000, "a")
    assert index.cfi(0xFFFFFFFFFFFF) == (0x10, "b")


def test_a_file_gives_the_same_index_as_its_bytes(tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    with open(tmp_path / "index", "wb") as target:
        build_index(tmp_path / "text", target)

    assert (tmp_path / "index").read_bytes() == built(TEXT)
    assert CfiIndex.open(tmp_path / "index").cfi(0x1005)[0] == 0x1000


def test_pieces_of_any_size_give_the_same_index(monkeypatch):
    whole = built(TEXT)
    for size in (60, 64, 100, 255):
        monkeypatch.setattr(cfi.build, "CHUNK_BYTES", size)
        assert built(TEXT) == whole


def test_no_more_records_are_read_than_allowed(monkeypatch):
    monkeypatch.setattr(cfi.build, "MAX_RECORDS", 2)
    index = opened(b"".join(b"STACK CFI INIT %x 1 a\n" % at for at in range(5)))

    assert index.skipped == 3
    assert [index.covers(address) for address in range(5)] == [True, True, False, False, False]


@pytest.mark.parametrize("content", [b"", b"CFIINDEX", b"\0" * 200, b"SYMC" * 40])
def test_what_is_no_index_is_refused(content):
    with pytest.raises(FormatError):
        CfiIndex(content)


def test_a_part_of_an_index_is_refused():
    whole = built(TEXT)

    for length in range(len(whole)):
        with pytest.raises(FormatError):
            CfiIndex(whole[:length])


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_an_index_with_a_flipped_byte_is_refused_or_answers(at, flip):
    damaged = bytearray(built(TEXT))
    damaged[at % len(damaged)] ^= flip
    try:
        index = CfiIndex(bytes(damaged))
    except FormatError:
        return
    for address in (0, 0x1000, 0x1035, 0x2005, 0x1150):
        index.cfi(address), index.win(address), index.covers(address)  # noqa: B018 - raising is what would fail
    assert index.module is None or index.module[0]


RECORD = st.one_of(
    st.builds(
        lambda start, size, rules: b"STACK CFI INIT %x %x %s" % (start, size, rules),
        st.integers(0, 1 << 66),
        st.integers(0, 1 << 66),
        st.binary(max_size=20),
    ),
    st.builds(lambda start: b"STACK WIN 4 %x 10 0 0 0 0 0 0 1 p" % start, st.integers(0, 1 << 40)),
    st.sampled_from(
        [b"STACK CFI INIT ", b"STACK WIN ", b"STACK CFI 12 x", b"MODULE a b c", b"\r", b"STACK CFI INIT 1_0 1 "]
    ),
    st.binary(max_size=60),
)


@given(st.lists(RECORD, max_size=12), st.lists(st.integers(0, 1 << 64), max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_an_index_that_answers(records, addresses):
    index = opened(b"\n".join(records))

    for address in [*addresses, 0, 16, 1 << 39]:
        found = index.cfi(address)
        assert found is None or index.covers(address)
        index.win(address)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=12))
@settings(max_examples=300, deadline=None)
def test_ranges_win_as_if_they_were_searched_one_by_one(ranges):
    text = b"".join(b"STACK CFI INIT %x %x r%d\n" % (start, size, at) for at, (start, size) in enumerate(ranges))
    index = opened(text)

    for address in range(95):
        holding = [(start, -size, -at) for at, (start, size) in enumerate(ranges) if start <= address < start + size]
        expected = f"r{-max(holding)[2]}" if holding else None
        found = index.cfi(address)
        assert (found[1] if found else None) == expected


def test_a_lookup_in_a_large_index_is_a_matter_of_microseconds():
    count = 50_000
    text = b"".join(b"STACK CFI INIT %x 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n" % (at * 16) for at in range(count))
    index = opened(text)
    addresses = [random.randrange(count * 16) for _ in range(2000)]

    began = time.process_time()
    assert all(index.covers(address) for address in addresses)
    assert time.process_time() - began < 2000 * 100e-6
