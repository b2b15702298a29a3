from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats.source_context import SourceContext, source_context

TEN = "".join(f"line {number}\n" for number in range(1, 11)).encode()


def lines(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"line {number}" for number in range(first, last + 1))


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [(1, (), (2, 6)), (2, (1, 1), (3, 7)), (6, (1, 5), (7, 10)), (7, (2, 6), (8, 10)), (10, (5, 9), ())],
)
def test_up_to_five_lines_on_each_side(line: int, before: tuple[int, ...], after: tuple[int, ...]):
    pre = lines(*before) if before else ()
    post = lines(*after) if after else ()
    assert source_context(TEN, line) == SourceContext(pre, f"line {line}", post)


def test_line_zero_shows_the_start_of_the_file():
    assert source_context(TEN, 0) == source_context(TEN, 1)


@pytest.mark.parametrize("line", [-1, 11, 12, 10**9, 10**30])
def test_no_context_outside_of_the_file(line: int):
    assert source_context(TEN, line) is None


def test_an_empty_file_has_no_line():
    assert source_context(b"", 1) is None


def test_a_last_line_without_an_end_counts():
    assert source_context(b"a\nb", 2) == SourceContext(("a",), "b", ())


def test_only_line_feeds_end_lines_and_a_carriage_return_before_them_is_dropped():
    text = "a\u2028b\x0bc\rd\r\n\tsecond\r\n".encode()
    assert source_context(text, 1) == SourceContext((), "a\u2028b\x0bc\rd", ("\tsecond",))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("x" * 150, "x" * 150),
        ("x" * 151, "x" * 140 + " {snip}"),
        ("x" * 139 + "é" * 10, "x" * 139 + " {snip}"),
        ("x" * 138 + "é" * 10, "x" * 138 + "é {snip}"),
        ("x" * 137 + "😀" * 5, "x" * 137 + " {snip}"),
        ("é" * 75, "é" * 75),
    ],
)
def test_long_lines_are_cut_between_letters(line: str, shown: str):
    found = source_context(f"first\n{line}\r\n".encode(), 2)
    assert found is not None
    assert found.context_line == shown


def test_bytes_that_are_no_text_are_replaced():
    found = source_context(b"\xff\x80" * 100, 1)
    assert found is not None
    assert found.context_line.endswith(" {snip}")


@given(st.text(alphabet=st.sampled_from("ab\n\r😀é"), max_size=400), st.integers(-2, 60))
def test_what_is_shown_is_what_the_file_holds(text: str, line: int):
    expected = text.removesuffix("\n").split("\n") if text else []
    found = source_context(text.encode(), line)
    if line < 0 or max(line, 1) > len(expected):
        assert found is None
        return
    assert found is not None
    at = max(line, 1) - 1
    assert (len(found.pre_context), len(found.post_context)) == (min(at, 5), min(len(expected) - at - 1, 5))
    whole = expected[at].removesuffix("\r")
    if len(whole.encode()) <= 150:
        assert found.context_line == whole
    else:
        kept = found.context_line.removesuffix(" {snip}")
        assert whole.startswith(kept)
        assert 137 <= len(kept.encode()) <= 140
