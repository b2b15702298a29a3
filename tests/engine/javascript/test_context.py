"""Lines around a position, trimmed by bytes and never through a letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.javascript.context import context_of, context_of_lines, trimmed

TEN = b"\n".join(b"line %d" % number for number in range(1, 11)) + b"\n"
LONG = bytes(range(97, 123)) * 10  # 260 bytes


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [(1, 0, 5), (2, 1, 5), (6, 5, 4), (10, 5, 0)],
)
def test_five_lines_on_each_side_as_far_as_there_are_any(line, before, after):
    found = context_of(TEN, line, 0)
    assert found.line == f"line {line}"
    assert (len(found.before), len(found.after)) == (before, after)


@pytest.mark.parametrize("line", [0, 11, 12, 4_294_967_295])
def test_lines_that_are_not_there_have_no_context(line):
    assert context_of(TEN, line, 0) is None


def test_an_empty_file_has_no_lines():
    assert context_of(b"", 1, 0) is None


def test_one_carriage_return_before_a_line_feed_is_no_part_of_a_line():
    assert context_of(b"a\r\r\nb\rc\n", 1, 0).line == "a\r"
    assert context_of(b"a\r\r\nb\rc\n", 2, 0).line == "b\rc"


def test_lines_that_were_cut_out_lose_the_empty_one_after_the_end():
    found = context_of_lines(["a\r\n"], "b\n", ["\n", "c\n", ""], 0)
    assert (found.before, found.line, found.after) == (("a",), "b", ("", "c"))


@pytest.mark.parametrize(
    ("column", "start", "end"),
    [
        (0, 0, 140),
        (1, 0, 140),
        (64, 0, 140),
        (65, 5, 145),
        (100, 40, 180),
        (175, 115, 255),
        (176, 120, 260),
        (260, 120, 260),
        (9999, 120, 260),
    ],
)
def test_140_bytes_around_the_column_with_marks(column, start, end):
    text = LONG[start:end].decode()
    expected = ("{snip} " if start else "") + text + (" {snip}" if end < len(LONG) else "")
    assert trimmed(LONG, column) == expected


def test_150_bytes_are_not_trimmed():
    assert trimmed(b"x" * 150 + b"\n", 3) == "x" * 150
    assert trimmed(b"x" * 151, 3) == "x" * 140 + " {snip}"


@pytest.mark.parametrize("column", range(0, 320, 7))
@pytest.mark.parametrize("letter", ["é", "€", "😀"])
def test_letters_of_several_bytes_are_kept_whole(letter, column):
    line = (letter * 100).encode()
    shown = trimmed(line, column).removeprefix("{snip} ").removesuffix(" {snip}")
    assert set(shown) == {letter}


def test_both_ends_move_down_to_a_letter():
    """Byte 140 is inside of a letter: the end moves from 140 to 138."""
    line = ("x" + "€" * 60).encode()
    assert trimmed(line, 0) == "x" + "€" * 46 + " {snip}"


@given(st.text(max_size=400), st.integers(0, 2000))
def test_trimming_shows_a_part_of_the_line(text, column):
    line = text.replace("\n", " ").replace("\r", " ")
    shown = trimmed(line.encode(errors="replace"), column)
    core = shown.removeprefix("{snip} ").removesuffix(" {snip}") if len(line.encode(errors="replace")) > 150 else shown
    assert core in line.encode(errors="replace").decode()
    assert len(core.encode()) <= 150


@given(st.text(max_size=100), st.integers(0, 200))
def test_short_lines_are_trimmed_once_and_for_all(text, column):
    once = trimmed(text.encode(errors="replace"), column)
    if not once.endswith(("\n", "\r")) and "{snip}" not in once:
        assert trimmed(once.encode(), column) == once
