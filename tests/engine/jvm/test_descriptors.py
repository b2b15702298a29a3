"""Descriptors of methods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jvm.descriptors import descriptor_of, parse_signature

WRITTEN = {"a.b": "com.acme.Shop"}


@pytest.mark.parametrize(
    ("text", "key", "shown"),
    [
        ("()V", "", "()"),
        ("(IZ)V", "int,boolean", "(int, boolean)"),
        (
            "(BCDFIJSZ)J",
            "byte,char,double,float,int,long,short,boolean",
            "(byte, char, double, float, int, long, short, boolean): long",
        ),
        ("(La/b;[[I)[Ljava/lang/String;", "com.acme.Shop,int[][]", "(com.acme.Shop, int[][]): java.lang.String[]"),
        ("(Lx/Y$Z;)La/b;", "x.Y$Z", "(x.Y$Z): com.acme.Shop"),
    ],
)
def test_types_are_shown_as_they_are_written(text: str, key: str, shown: str) -> None:
    signature = parse_signature(text, WRITTEN.get)
    assert signature is not None
    assert (signature.key, str(signature)) == (key, shown)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "V",
        "(",
        "()",
        "(V)V",
        "(L;)V",
        "(La)V",
        "([)V",
        "(I)",
        "(I)VV",
        "(Q)V",
        "I)V",
        "()[",
        "(" + "[" * 256 + "I)V",
    ],
)
def test_what_is_no_descriptor_is_none(text: str) -> None:
    assert parse_signature(text, WRITTEN.get) is None


@given(st.text(alphabet="()[L;/IVab", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    signature = parse_signature(text, WRITTEN.get)
    assert signature is None or str(signature).startswith("(")


def test_classes_have_descriptors() -> None:
    assert descriptor_of("java.lang.Object") == "Ljava/lang/Object;"
