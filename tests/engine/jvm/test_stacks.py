"""Whole stacks: what a frame's neighbours, the exception and the request's wishes change."""

from __future__ import annotations

import pytest

from engine.jvm.stacks import Retracer
from engine.jvm.wire import JvmException, JvmStacktrace
from tests.engine.jvm.mappings import INLINES, frame, mapping, said, walked

SHOP = "com.acme.Shop"
NPE = JvmException("NullPointerException", "java.lang")

OUTLINES = """\
some.Outline -> x:
    1:2:int cut():0:0 -> a
    # {"id":"com.android.tools.r8.outline"}
some.Caller -> b:
    4:4:int first(int):98:98 -> s
    5:5:int second(int):100:100 -> s
    27:27:int first(int):0:0 -> s
    # {"id":"com.android.tools.r8.outlineCallsite","positions":{"1":4,"2":5},"outline":"Lx;a()I"}
    30:30:int third():30:30 -> t
"""
RULES = """\
some.Checks -> d:
    4:4:void some.Inner.require(java.lang.Object):12:12 -> a
    4:4:void outer():20:20 -> a
    # {"id":"com.android.tools.r8.rewriteFrame","conditions":["throws(Ljava/lang/NullPointerException;)"],\
"actions":["removeInnerFrames(1)"]}
    6:6:void alone():6:6 -> b
    # {"id":"com.android.tools.r8.rewriteFrame","conditions":["throws(Lo/e;)"],"actions":["removeInnerFrames(1)"]}
    7:7:void lambda():1:1 -> c
    # {"id":"com.android.tools.r8.synthesized"}
    7:7:void real():9:9 -> c
    void bridge() -> d
    # {"id":"com.android.tools.r8.synthesized"}
some.Error -> o.e:
"""


def test_inlined_calls_become_frames_that_keep_the_index() -> None:
    made = walked(INLINES, frame("a.b", "a", 4, index=9))
    assert said(made) == [("com.acme.Lock", "turn", 7), ("com.acme.Door", "push", 21), (SHOP, "open", 45)]
    assert [each.index for each in made] == [9, 9, 9]
    assert [each.filename for each in made] == ["Locks.kt", "Door.java", "Shop.java"]
    assert [each.abs_path for each in made] == ["Locks.kt", "Door.java", "Shop.java"]


def test_the_order_of_frames_is_the_one_they_came_in() -> None:
    frames = [frame("a.b", "b", 3), frame("a.b", "a", 4)]
    given = JvmStacktrace(frames)
    caller_first = Retracer([mapping(INLINES)]).stack(given, caller_first=True).frames
    assert [each.function for each in caller_first] == ["close", "open", "push", "turn"]


def test_the_first_mapping_that_knows_a_class_explains_it() -> None:
    other = mapping("z.Z -> a.b:\n    1:9:void no():1:9 -> a\nw.W -> k:\n    1:1:void w():2:2 -> m\n")
    retracer = Retracer([mapping(INLINES), other])
    stack = JvmStacktrace([frame("a.b", "a", 1), frame("k", "m", 1), frame("q", "m", 5)])
    assert said(retracer.stack(stack, caller_first=False).frames) == [
        (SHOP, "open", 40),
        ("w.W", "w", 2),
        ("q", "m", 5),
    ]


def test_a_frame_that_nobody_knows_stays_as_it_came() -> None:
    given = frame("q", "m", 5, filename="x", abs_path="y", in_app=False, signature="(I)V", index=4)
    (made,) = walked(INLINES, given, release_package="q")
    assert (made.filename, made.abs_path, made.in_app, made.index) == ("x", "y", False, 4)


@pytest.mark.parametrize(
    ("came", "package", "told"),
    [(None, "com.acme", True), (None, "org", None), (False, "com.acme", False), (None, None, None)],
)
def test_frames_of_the_apps_package_are_in_app_unless_said_otherwise(
    came: bool | None, package: str | None, told: bool | None
) -> None:
    (made,) = walked(INLINES, frame("a.b", "a", 1, in_app=came), release_package=package)
    assert made.in_app is told


def test_a_signature_is_shown_as_it_was_written_and_chooses_the_method() -> None:
    (made,) = walked(INLINES, frame("a.b", "c", signature="(I)V"))
    assert (made.function, made.signature) == ("lock", "(int)")
    (made,) = walked(INLINES, frame("q", "m", signature="([La/b;J)Lc;"))
    assert made.signature == "(com.acme.Shop[], long): com.acme.Lock"


def test_a_broken_signature_stays_as_it_came() -> None:
    (made,) = walked(INLINES, frame("a.b", "b", signature="(Q"))
    assert made.signature == "(Q"


def test_an_outline_is_left_out_and_its_line_says_where_the_caller_was() -> None:
    made = walked(OUTLINES, frame("x", "a", 1), frame("b", "s", 27), frame("b", "t", 30))
    assert said(made) == [("some.Caller", "first", 98), ("some.Caller", "third", 30)]
    made = walked(OUTLINES, frame("x", "a", 2), frame("b", "s", 27))
    assert said(made) == [("some.Caller", "second", 100)]


def test_the_line_of_an_outline_concerns_the_next_frame_only() -> None:
    made = walked(OUTLINES, frame("x", "a", 1), frame("b", "t", 30), frame("b", "s", 27))
    assert said(made) == [("some.Caller", "third", 30), ("some.Caller", "first", 0)]


def test_a_line_that_the_outline_does_not_list_changes_nothing() -> None:
    assert said(walked(OUTLINES, frame("x", "a", 9), frame("b", "s", 4))) == [
        ("some.Outline", "a", 9),
        ("some.Caller", "first", 98),
    ]


def test_a_rule_for_the_exception_leaves_inner_frames_out() -> None:
    assert said(walked(RULES, frame("d", "a", 4), exception=NPE)) == [("some.Checks", "outer", 20)]


def test_an_outline_in_front_does_not_keep_a_rule_from_holding() -> None:
    made = walked(OUTLINES + RULES, frame("x", "a", 1), frame("d", "a", 4), frame("d", "c", 7), exception=NPE)
    assert said(made) == [("some.Checks", "outer", 20), ("some.Checks", "real", 9)]


def test_a_class_that_is_known_without_the_method_gets_its_file_and_is_in_app() -> None:
    (made,) = walked(INLINES, frame("c", "zz", in_app=None), release_package="com.acme")
    assert (made.module, made.function, made.lineno, made.in_app) == ("com.acme.Lock", "zz", 0, True)
    assert (made.filename, made.abs_path) == ("Locks.kt", "Locks.kt")


@pytest.mark.parametrize("exception", [None, JvmException("IllegalStateException", "java.lang")])
def test_a_rule_for_another_exception_changes_nothing(exception: JvmException | None) -> None:
    made = walked(RULES, frame("d", "a", 4), exception=exception)
    assert said(made) == [("some.Inner", "require", 12), ("some.Checks", "outer", 20)]


def test_a_rule_holds_for_the_innermost_frame_alone() -> None:
    made = walked(RULES, frame("q", "m", 1), frame("d", "a", 4), exception=NPE)
    assert said(made) == [("q", "m", 1), ("some.Inner", "require", 12), ("some.Checks", "outer", 20)]


@pytest.mark.parametrize("exception", [JvmException("e", "o"), JvmException("Error", "some")])
def test_a_frame_of_which_a_rule_leaves_nothing_vanishes(exception: JvmException) -> None:
    """The rule may call the exception as it runs; the report may hold either name."""
    thrown = exception.module == "o"
    assert bool(walked(RULES, frame("d", "b", 6), exception=exception)) is not thrown


def test_synthesized_methods_are_left_out_where_there_is_a_line() -> None:
    assert said(walked(RULES, frame("d", "c", 7))) == [("some.Checks", "real", 9)]
    (made,) = walked(RULES, frame("d", "d"))
    assert (made.function, made.method_synthesized) == ("bridge", True)


def test_exceptions_are_called_as_they_were_written() -> None:
    retracer = Retracer([mapping(RULES)])
    assert retracer.exception(JvmException("e", "o")) == JvmException("Error", "some")
    assert retracer.exception(NPE) == NPE


def test_exceptions_without_a_package_are_found_by_their_bare_name() -> None:
    retracer = Retracer([mapping("some.Error -> e:\nBare -> f:\n")])
    assert retracer.exception(JvmException("e", "")) == JvmException("Error", "some")
    assert retracer.exception(JvmException("f", "")) == JvmException("Bare", "")
