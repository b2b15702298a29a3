from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats import symstore_index as module
from engine.formats.bytewise import FormatError
from engine.formats.symstore_index import parse_last_id, parse_transaction, transaction_path


@pytest.mark.parametrize(
    ("text", "number"), [(b"0000000012", 12), (b"7\r\n", 7), (b"\xef\xbb\xbf10000", 10_000), (b"0", 0)]
)
def test_the_last_number_is_read(text: bytes, number: int):
    assert parse_last_id(text) == number


@pytest.mark.parametrize("text", [b"", b"x", b"-1", b"10001", b"1.5", b"9" * 5000, "²".encode(), b"1 2"])
def test_anything_else_is_malformed(text: bytes):
    with pytest.raises(FormatError, match="lastid"):
        parse_last_id(text)


def test_transactions_lie_under_their_number():
    assert transaction_path(12) == "000Admin/0000000012"


def test_a_transaction_lists_paths_as_it_spells_them():
    text = (
        b'"crash.pdb\\3249D99D0C4049318610F4E4FB0B69361","C:\\build\\crash.pdb"\r\n'
        b'"Crash.exe\\5ab380779000","C:\\build\\crash.exe","extra"\n'
        b'"crash.pdb\\3249D99D0C4049318610F4E4FB0B69361"'
    )
    assert parse_transaction(text) == {
        "crash.pdb/3249D99D0C4049318610F4E4FB0B69361/crash.pdb",
        "Crash.exe/5ab380779000/Crash.exe",
    }


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"crash.pdb\\ID,x",
        b'"crash.pdb","x"',
        b'"a\\b\\c","x"',
        b'"\\ID"',
        b'"a\\"',
        b' "a\\b"',
        b'"a/b\\c"',
        b'"a\\b',
    ],
)
def test_other_lines_are_passed_over(line: bytes):
    assert parse_transaction(line + b'\n"good.pdb\\1","x"') == {"good.pdb/1/good.pdb"}


@given(st.binary(max_size=500))
def test_no_bytes_make_it_fail(data: bytes):
    for path in parse_transaction(data):
        assert path.count("/") == 2


def test_a_file_that_is_too_large_is_malformed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 10)
    with pytest.raises(FormatError, match="too large"):
        parse_transaction(b"x" * 11)
