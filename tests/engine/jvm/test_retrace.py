"""One frame and one mapping: which frames it stands for."""

from __future__ import annotations

import pytest
from symbolic.proguard import ProguardMapper

from engine.jvm.mapping import Mapping
from engine.jvm.retrace import Place, retrace
from tests.engine.jvm.mappings import INLINES, lines_of, mapping
from tests.engine.shared_fixtures import shared

SHOP = "com.acme.Shop"


def test_a_line_within_a_range_moves_with_it() -> None:
    assert lines_of(INLINES, "a.b", "a", 1) == [(SHOP, "open", 40)]
    assert lines_of(INLINES, "a.b", "a", 3) == [(SHOP, "open", 42)]


def test_entries_of_one_range_are_inlined_calls_innermost_first() -> None:
    assert lines_of(INLINES, "a.b", "a", 4) == [
        ("com.acme.Lock", "turn", 7),
        ("com.acme.Door", "push", 21),
        (SHOP, "open", 45),
    ]


def test_a_range_without_lines_of_its_own_was_left_where_it_was() -> None:
    assert lines_of(INLINES, "a.b", "a", 6) == [(SHOP, "count", 6)]


def test_a_method_without_line_information_keeps_the_line() -> None:
    assert lines_of(INLINES, "a.b", "b", 77) == [(SHOP, "close", 77)]


def test_a_line_that_no_range_holds_maps_the_class_only() -> None:
    found = retrace(mapping(INLINES), Place("a.b", "a", 4711, None))
    assert found is not None
    assert not found.whole
    assert [(each.owner, each.method, each.line) for each in found.frames] == [(SHOP, "a", 4711)]


def test_an_unknown_method_of_a_known_class_maps_the_class_only() -> None:
    assert lines_of(INLINES, "a.b", "zz", 3) == [(SHOP, "zz", 3)]
    assert lines_of(INLINES, "a.b", "zz", None) == [(SHOP, "zz", 0)]


def test_an_unknown_class_is_unknown() -> None:
    assert retrace(mapping(INLINES), Place("x.y", "a", 1, None)) is None


def test_without_a_line_a_single_chain_has_its_own_lines() -> None:
    assert lines_of(INLINES, "c", "a", None) == [("com.acme.Lock", "turn", 7)]


def test_without_a_line_several_methods_are_each_named_once_without_one() -> None:
    assert lines_of(INLINES, "a.b", "c", None) == [(SHOP, "isOpen", 0), (SHOP, "lock", 0)]
    assert lines_of(INLINES, "a.b", "a", None) == [(SHOP, "open", 0), (SHOP, "count", 0)]


def test_parameters_choose_among_methods_of_one_name() -> None:
    assert lines_of(INLINES, "a.b", "c", None, "int") == [(SHOP, "lock", 0)]
    assert lines_of(INLINES, "a.b", "c", None, "") == [(SHOP, "isOpen", 0)]


def test_parameters_that_no_method_has_leave_the_class_where_names_differ() -> None:
    assert lines_of(INLINES, "a.b", "c", None, "long") == [(SHOP, "c", 0)]


def test_parameters_that_no_method_has_leave_a_name_that_all_agree_on() -> None:
    assert lines_of(INLINES, "a.b", "b", None, "long") == [(SHOP, "close", 0)]


@pytest.mark.parametrize("indent", ["  ", "    ", "\t", " "])
def test_members_may_be_indented_by_anything(indent: str) -> None:
    assert lines_of(f"x.Y -> a:\n{indent}1:1:void go():5:5 -> b\n", "a", "b", 1) == [("x.Y", "go", 5)]


def test_windows_line_ends_and_blank_lines_are_nothing_special() -> None:
    text = "x.Y -> a:\r\n\r\n    1:1:void go():5:5 -> b\r\n"
    assert lines_of(text, "a", "b", 1) == [("x.Y", "go", 5)]


@pytest.mark.parametrize(
    ("text", "owner", "file"),
    [
        ("x.Main -> a:\n    1:1:void go():1:1 -> b\n", "x.Main", "Main.java"),
        ("x.Main$Inner$1 -> a:\n    1:1:void go():1:1 -> b\n", "x.Main$Inner$1", "Main.java"),
        ("x.MainKt -> a:\n    1:1:void go():1:1 -> b\n", "x.MainKt", "Main.kt"),
        ("x.Outer$MainKt$go$1 -> a:\n    1:1:void go():1:1 -> b\n", "x.Outer$MainKt$go$1", "Main.kt"),
        ('x.Main -> a:\n# {"id":"sourceFile","fileName":"M.scala"}\n    1:1:void go():1:1 -> b\n', "x.Main", "M.scala"),
        (
            'x.Main$$ExternalSyntheticLambda0 -> a:\n# {"id":"sourceFile","fileName":"R8$$SyntheticClass"}\n'
            "    1:1:void go():1:1 -> b\n",
            "x.Main$$ExternalSyntheticLambda0",
            "Main",
        ),
        ("x.-$$Lambda$abc -> a:\n    1:1:void go():1:1 -> b\n", "x.-$$Lambda$abc", "-.java"),
        (
            'x.Main -> a:\n# {"id":"sourceFile","fileName":"Main.kt"}\n    1:1:void y.Other.go():1:1 -> b\n',
            "y.Other",
            "Other.kt",
        ),
        (
            "x.Main -> a:\n    1:1:void y.Other.go():1:1 -> b\n"
            'y.Other -> c:\n# {"id":"sourceFile","fileName":"O.kt"}\n',
            "y.Other",
            "O.kt",
        ),
    ],
)
def test_the_file_is_known_or_made_up_from_the_class(text: str, owner: str, file: str) -> None:
    found = retrace(mapping(text), Place("a", "b", 1, None))
    assert found is not None
    assert [(each.owner, each.file) for each in found.frames] == [(owner, file)]


def test_an_independent_mapper_says_the_same_of_a_real_mapping() -> None:
    """Where methods have no lines it answers line 0, and one name often; the line can be passed on."""
    path = shared("fixtures/peers/symbolic/proguard.txt")
    judge, ours = ProguardMapper.open(str(path), True), Mapping(path.read_bytes())
    compared = 0
    for owner in ours.classes:
        known = ours.find(owner)
        assert known is not None
        assert known.original == judge.remap_class(owner)
        for method, entries in known.methods.items():
            for line in {each.minified.start for each in entries if each.minified} | {10**6}:
                expected = [
                    (each.class_name, each.method, each.line) for each in judge.remap_frame(owner, method, line)
                ]
                found = retrace(ours, Place(owner, method, line, None))
                assert found is not None
                said = [(each.owner, each.method, each.line) for each in found.frames] if found.whole else []
                if any(each.minified for each in entries):
                    assert said == expected, (owner, method, line)
                else:
                    assert [each[:2] for each in said] == list(dict.fromkeys(each[:2] for each in expected))
                compared += 1
    assert compared > 5000
