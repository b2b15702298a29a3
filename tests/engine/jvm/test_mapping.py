"""Mapping files: what is read of them, what counts as one, and that damage costs little."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats.bytewise import FormatError
from engine.jvm.mapping import Mapping, check_mapping
from engine.jvm.members import read_class
from engine.jvm.retrace import Place, retrace
from tests.engine.jvm.mappings import INLINES
from tests.engine.shared_fixtures import shared

R8 = "com.android.tools.r8."


def test_remarks_belong_to_the_method_above_them() -> None:
    known = read_class(
        "x.Y",
        [
            '# {"id":"sourceFile","fileName":"Y.kt"}',
            "    1:1:void one():1:1 -> a",
            f'      # {{"id":"{R8}synthesized"}}',
            f'      # {{"id":"{R8}outline"}}',
            "    2:2:void two():2:2 -> a",
            "    int field -> f",
            f'      # {{"id":"{R8}synthesized"}}',
        ],
    )
    one, two = known.methods["a"]
    assert (known.source_file, one.synthesized, one.outline) == ("Y.kt", True, True)
    assert (two.synthesized, two.outline) == (False, False)


@pytest.mark.parametrize(
    "remark",
    [
        "{",
        "[]",
        '{"id":7}',
        '{"id":"com.android.tools.r8.outlineCallsite","positions":[1]}',
        '{"id":"com.android.tools.r8.outlineCallsite","positions":{"x":1,"²":2,"3":"4"}}',
        '{"id":"com.android.tools.r8.rewriteFrame","conditions":[1],"actions":["removeInnerFrames(1)"]}',
        '{"id":"com.android.tools.r8.rewriteFrame","conditions":["throws(La;)","else"],"actions":["removeInnerFrames(1)"]}',
        '{"id":"com.android.tools.r8.rewriteFrame","conditions":["throws(La;)"],"actions":["explode()"]}',
        '{"id":"sourceFile","fileName":{}}',
        "[" * 100_000,
    ],
)
def test_remarks_that_are_not_understood_change_nothing(remark: str) -> None:
    known = read_class("x.Y", ["    1:1:void one():1:1 -> a", f"# {remark}"])
    (one,) = known.methods["a"]
    assert one.rewrites == []
    assert all(not callsite.positions for callsite in one.callsites)
    assert known.source_file is None


@pytest.mark.parametrize(
    "text",
    [
        INLINES,
        "# compiler: R8\n# pg_map_id: 1\nx.Y -> a:\n    int f -> b\n",
        "x.Y -> a:\n# {}\n  1:2:void <init>():3:4 -> <init>\n",
        "lonely.Class -> b:\nx.Y -> a:\r\n\tint f -> b\r\n",
    ],
)
def test_a_class_with_a_member_near_the_beginning_makes_a_mapping(text: str) -> None:
    check_mapping(memoryview(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x.Y -> a:\n",
        "    int f -> b\n",
        "    int f -> b\nx.Y -> a:\n",
        "{}",
        "# nothing\n" * 50 + INLINES,
        "\x00\xff" * 1000,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(FormatError):
        check_mapping(memoryview(text.encode()))


def test_the_real_one_is_a_mapping() -> None:
    data = shared("fixtures/peers/symbolic/proguard.txt").read_bytes()
    check_mapping(memoryview(data))
    assert len(Mapping(data).classes) == 717


@given(st.binary(max_size=400) | st.text(alphabet="ab.:-> ()\n #{}1", max_size=400).map(str.encode))
def test_any_bytes_are_read_without_a_fault(data: bytes) -> None:
    read = Mapping(data)
    for owner in read.classes:
        known = read.find(owner)
        assert known is not None
        for method in known.methods:
            for line in (None, 0, 1, 2**32 - 1):
                assert retrace(read, Place(owner, method, line, None)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "a -> " * 400_000,
        "a -> a:" * 300_000,
        ":" * 2_000_000,
        "x -> y:\n" + "    1:1:void a" + "(" * 1_000_000 + "\n",
        "x -> y:\n    void " + "a" * 1_000_000 + ":\n",
        "x -> y:\n" + "    1:1:void a():1:1 -> b\n" * 80_000,
        "".join(f"c{number} -> d{number}:\n" for number in range(100_000)),
    ],
    ids=["arrows", "classes in a line", "colons", "brackets", "a long name", "one method often", "many classes"],
)
def test_files_made_to_be_slow_are_not(text: str) -> None:
    began = time.process_time()
    read = Mapping(text.encode())
    for owner in read.classes[:3]:
        read.find(owner)
    assert time.process_time() - began < 5


def test_numbers_beyond_every_line_are_just_numbers() -> None:
    read = Mapping(b"x -> y:\n    1:9999999999:void a():1:9999999999 -> b\n    1:99999999999:void z():1:1 -> c\n")
    found = retrace(read, Place("y", "b", 2**32 - 1, None))
    assert found is not None
    assert found.frames[0].line == 2**32 - 1
    known = read.find("y")
    assert known is not None
    assert "c" not in known.methods
