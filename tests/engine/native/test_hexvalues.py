"""Addresses on the wire."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.native.hexvalues import BadHex, all_canonical, numbers_of_one_length, parse_hex

numbers = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("0x0", 0),
        ("0x7ffff7fa9a5f", 0x7FFFF7FA9A5F),
        ("0X7FFFF7FA9A5F", 0x7FFFF7FA9A5F),
        ("0x000010", 16),
        ("4096", 4096),
        ("010", 10),
        (4096, 4096),
        (-1, 2**64 - 1),
        (-(2**63), 2**63),
        (2**64 - 1, 2**64 - 1),
        ("0xffffffffffffffff", 2**64 - 1),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_every_form_of_an_address_is_read(given_value, expected):
    assert parse_hex(given_value) == expected


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "0x",
        "0x 1",
        " 1",
        "1 ",
        "0x1_0",
        "1_0",
        "-1",
        "0x-1",
        "+1",
        "0b1",
        "0o7",
        "ff",
        "0xg",
        "0x10000000000000000",
        "18446744073709551616",
        "١",
        "0x١",
        "9" * 1000,
        "0x" + "0" * 1000,
        2**64,
        -(2**63) - 1,
        "1.0",
        "0x1\n",
    ],
)
def test_nothing_else_is_an_address(bad):
    with pytest.raises(BadHex):
        parse_hex(bad)


@given(st.lists(numbers))
def test_what_the_answer_writes_is_canonical(values):
    assert all_canonical([hex(value) for value in values])


texts = st.one_of(st.text(alphabet="0x1fF,_ g", max_size=20), numbers.map(hex), st.integers())


@example([",0x0"])
@given(st.lists(texts, min_size=1, max_size=4))
def test_only_what_the_answer_writes_is_canonical(values):
    one_by_one = all(isinstance(value, str) and _written_alike(value) for value in values)
    assert all_canonical(values) == one_by_one


def _written_alike(value: str) -> bool:
    try:
        return hex(parse_hex(value)) == value
    except BadHex:
        return False


@given(st.lists(texts, max_size=4))
def test_numbers_read_at_once_are_those_read_one_by_one(values):
    found = numbers_of_one_length(values)
    if found is not None:
        assert list(found) == [parse_hex(value) for value in values]


@given(st.lists(st.integers(16**11, 16**12 - 1), min_size=1))
def test_addresses_of_one_length_are_read_at_once(values):
    assert list(numbers_of_one_length([hex(value) for value in values]) or ()) == values


@pytest.mark.parametrize(
    "bad", [["0x12340", "x56789"], ["0x1", "0x12"], ["0x1,", "0x12"], [], [5], ["0x1", "0x\xe9"], ["0x"], ["0x", "0x"]]
)
def test_the_border_between_two_texts_counts(bad):
    assert numbers_of_one_length(bad) is None
