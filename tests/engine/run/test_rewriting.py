"""Rules that rewrite the first module's debug file."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoding import BadJson, BadSchema
from engine.run.report_wire import decode_rewrite
from engine.run.rewriting import BadPattern, RewriteRule, rewrite


def rules(*pairs):
    return decode_rewrite(json.dumps([{"from": pattern, "to": replacement} for pattern, replacement in pairs]).encode())


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "expected"),
    [
        (r"^.*\\", "", r"C:\build\app.pdb", "app.pdb"),
        ("b", "x", "abcb", "axcb"),
        (r"(\w+)\.pdb", "$1-$1.pdb", "app.pdb", "app-app.pdb"),
        (r"(?P<name>\w+)\.pdb", "${name}.sym", "app.pdb", "app.sym"),
        (r"(?<name>\w+)\.pdb", "$name!", "app.pdb", "app!"),
        (r"(\w+)\.pdb", "$1x", "app.pdb", ""),
        (r"(\w+)\.pdb", "${1}x$$2", "app.pdb", "appx$2"),
        ("(a)|(b)", "[$1$2$9$nobody]", "b", "[b]"),
        ("(?i)APP", "x", "ö app", "ö x"),
        ("a", "$", "a", "$"),
        ("zzz", "x", "app.pdb", "app.pdb"),
    ],
)
def test_replacements_are_written_as_in_rusts_regex(pattern, replacement, text, expected):
    assert rewrite(text, rules((pattern, replacement))) == expected


def test_the_first_rule_that_matches_is_the_only_one():
    assert rewrite("app.pdb", rules(("nope", "1"), ("app", "2"), ("2", "3"))) == "2.pdb"


@pytest.mark.parametrize("nothing", [b"null", b"[]"])
def test_no_rules_are_no_rules(nothing):
    assert decode_rewrite(nothing) == ()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "$: Expected `array | null`, got `object`"),
        (b'[{"from": "a"}]', "$[0]: Object missing required field `to`"),
        (b'[{"from": "a", "to": ""}, {"from": "(", "to": ""}]', "$[1].from: missing )"),
        (b'[{"from": "a(?=b)", "to": ""}]', "$[0].from: invalid perl operator"),
        (b'[{"from": "((a{999}){999}){999}", "to": ""}]', "$[0].from: invalid repetition size"),
        (json.dumps([{"from": "a" * 5000, "to": ""}]).encode(), "$[0].from: longer than 4096 characters"),
        (json.dumps([{"from": "a", "to": ""}] * 101).encode(), "$: more than 100 rules"),
    ],
)
def test_rules_that_cannot_be_used_are_named(body, message):
    with pytest.raises(BadSchema) as told:
        decode_rewrite(body)
    assert told.value.message == message


def test_what_is_no_json_is_told_apart():
    with pytest.raises(BadJson):
        decode_rewrite(b"[{")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|a)*b", "(.*)*(.*)*(.*)*x", "(a?){500}a{500}"])
def test_no_expression_takes_long(pattern):
    started = time.monotonic()
    rewrite("a" * 100_000 + "!", rules((pattern, "x")))
    assert time.monotonic() - started < 5


@given(st.text(max_size=30), st.text(alphabet="$1ab{}_x", max_size=12), st.text(max_size=40))
def test_whatever_the_rule_says_it_is_refused_or_works(pattern, replacement, text):
    try:
        rule = RewriteRule.make(pattern, replacement)
    except BadPattern:
        return
    assert rule.apply(text) is None or isinstance(rule.apply(text), str)
