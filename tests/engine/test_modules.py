"""Which module covers an address, and the ids of modules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.modules import AddressMap, DebugId, ModuleType, Span, fill_sizes, parse_code_id


def naive(spans, address):
    """The definition: the greatest start at or below the address, if it reaches that far; of equal ones the last."""
    below = [span for span in spans if span.start <= address]
    if not below:
        return None
    best = max(below, key=lambda span: (span.start, spans.index(span)))
    return best if not best.size or address <= best.start + best.size else None


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8).map(
    lambda rows: [Span(at, start, size) for at, (start, size) in enumerate(rows)]
)


@given(spans, st.integers(0, 100))
def test_the_map_follows_the_definition(given_spans, address):
    assert AddressMap(given_spans).find(address) == naive(given_spans, address)


def test_the_end_is_inclusive():
    lookup = AddressMap([Span(0, 0x1000, 0x100)])
    assert lookup.find(0x1100) is not None
    assert lookup.find(0x1101) is None
    assert lookup.find(0xFFF) is None


def test_at_a_common_border_the_next_module_counts():
    assert AddressMap([Span(0, 0x1000, 0x1000), Span(1, 0x2000, 0x1000)]).find(0x2000).module == 1


def test_a_module_of_unknown_size_is_open_ended():
    assert AddressMap([Span(0, 0x1000, 0)]).find(2**64 - 1).module == 0


def test_sizes_are_filled_up_to_the_next_module_in_the_order_of_the_request():
    filled = fill_sizes([Span(0, 0x3000, 0), Span(1, 0x1000, 0), Span(2, 0x2000, 0x10)])
    assert [span.size for span in filled] == [0, 0x1000, 0x10]


ID = "3249d99d-0c40-4931-8610-f4e4fb0b6936"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ID, ID),
        (ID.upper(), ID),
        (ID.replace("-", ""), ID),
        (f"{ID}-1", f"{ID}-1"),
        (f"{ID}-a1b", f"{ID}-a1b"),
        (ID.replace("-", "").upper() + "1", f"{ID}-1"),
        (ID.replace("-", "") + "0", ID),
        (ID.replace("-", "") + "0000001f", f"{ID}-1f"),
    ],
)
def test_debug_ids_are_read_leniently(text, expected):
    assert str(DebugId.parse(text)) == expected


@pytest.mark.parametrize("text", ["", "x", ID[:-1], ID + "-", ID + "-123456789", ID[:-1] + "g", "0x" + ID])
def test_other_texts_are_no_debug_ids(text):
    parsed = DebugId.parse(text)
    assert parsed is None or str(parsed) == ID


def test_code_ids_are_their_hex_digits():
    assert parse_code_id("5AB38077-9000 xyz") == "5ab380779000"
    assert parse_code_id("xyz-") is None


def test_unknown_types_have_no_aliases():
    assert ModuleType.parse("ELF") is ModuleType.UNKNOWN
    assert ModuleType.parse("pe_dotnet") is ModuleType.PE_DOTNET
