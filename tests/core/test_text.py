from hypothesis import given
from hypothesis import strategies as st

from core.text import REPLACEMENT, storable


def test_ordinary_text_is_untouched():
    assert storable("größer als 😀 \t\n") == "größer als 😀 \t\n"


def test_nul_is_replaced():
    assert storable("a\x00b") == f"a{REPLACEMENT}b"


def test_a_lone_surrogate_is_replaced():
    assert storable("a\ud83db") == f"a{REPLACEMENT}b"


def test_a_pair_of_surrogates_becomes_its_character():
    assert storable("\ud83d\ude00") == "😀"


@given(st.text(st.characters(codec=None), max_size=50))
def test_whatever_comes_can_be_stored(text):
    result = storable(text)
    result.encode("utf-8")
    assert "\x00" not in result


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_storable_text_stays_as_it_is(text):
    assert storable(text) == text
