"""Filters: every operator in the database and in plain Python, over attributes of any kind."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.text import storable
from crashes.answers import Refusal
from crashes.models import Crash
from crashes.query.asking import ask
from crashes.query.bodies import Query, decode
from crashes.query.running import limited, rows
from tests.crashes.stored import make_crash

pytestmark = pytest.mark.django_db

OPERATORS = [
    "equal",
    "not-equal",
    "contains",
    "not-contains",
    "regular-expression",
    "inverse-regular-expression",
    "at-least",
    "at-most",
    "less-than",
    "greater-than",
    "is-set",
    "is-not-set",
]
NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?")


def found(project, **query):
    """Ids of the crashes that a filter finds."""
    asked = ask(project, Query(**query))
    with limited():
        return {pk for (pk,) in rows(f"SELECT c.id {asked.source}", asked.bind)}


@pytest.fixture
def matches(acme_project):
    crash = make_crash(acme_project, b"x")

    def evaluate(value, *condition):
        """Whether a crash with this value of `a` (none for ...) is found."""
        Crash.objects.filter(pk=crash.pk).update(attributes={} if value is ... else {"a": value})
        return found(acme_project, filter=[{"a": [list(condition)]}]) == {crash.pk}

    return evaluate


def number(text):
    return Decimal(text) if NUMBER.fullmatch(text) else None


def text_of(value):
    if isinstance(value, bool):
        return json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value)


def holds(value, operator, wanted, folded):
    """What the documentation says, in Python."""
    negative = {"not-equal": "equal", "not-contains": "contains", "inverse-regular-expression": "regular-expression"}
    if operator in negative:
        return not holds(value, negative[operator], wanted, folded)
    if operator in ("is-set", "is-not-set"):
        return (value is not None) == (operator == "is-set")
    if value is None:
        return False
    have, marked = text_of(value), isinstance(wanted, str) and re.fullmatch(r"[+-]?[0-9]{1,30}\.", wanted)
    want = storable(text_of(wanted)).rstrip(".") if marked else storable(text_of(wanted))
    if operator == "equal":
        if marked or (isinstance(wanted, int | float) and not isinstance(wanted, bool)):
            return number(have) is not None and number(have) == number(want) or have == want
        return have.lower() == want.lower() if folded else have == want
    if operator == "contains":
        return want.lower() in have.lower() if folded else want in have
    if operator == "regular-expression":
        return re.search(want, have, re.IGNORECASE if folded else 0) is not None
    compared = {"at-least": "__ge__", "at-most": "__le__", "less-than": "__lt__", "greater-than": "__gt__"}[operator]
    if number(want) is not None and not isinstance(wanted, bool):
        return number(have) is not None and getattr(number(have), compared)(number(want))
    return getattr(have.encode(), compared)(want.encode())


words = st.text(alphabet="abAB1.0 %_\\'\"é\n", max_size=4)
numerals = st.sampled_from(
    ["0", "1", "1.", "01", "1.0", "-1", "1e2", "100", "100.", "1_0", " 1", "1\n", "9" * 31, "nan", "١"]
)
numbers = st.integers(-200, 200) | st.sampled_from([0.5, 1.0, 100.0, 1e10, -0.25])
values = st.none() | st.booleans() | numbers | words | numerals
patterns = st.sampled_from(["^a", "b$", "[0-9]+", "a|B", ".", "^$", "1\\.", "(a)(b)?"])
conditions = st.one_of(
    st.tuples(
        st.sampled_from([name for name in OPERATORS if "expression" not in name]),
        words | numerals | numbers | st.booleans(),
    ),
    st.tuples(st.just("regular-expression") | st.just("inverse-regular-expression"), patterns),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    crashes=st.lists(st.dictionaries(st.sampled_from(["a", "b.c", "d'%s"]), values), min_size=1, max_size=12),
    wanted=st.lists(
        st.tuples(st.sampled_from(["a", "b.c", "d'%s"]), conditions, st.booleans()), min_size=1, max_size=3
    ),
)
def test_the_database_finds_what_the_documentation_says(crashes, wanted, acme_project):
    Crash.objects.all().delete()
    made = Crash.objects.bulk_create(
        Crash(
            project=acme_project,
            rxid=str(place),
            format="json",
            door="backtrace",
            blob_key="x",
            size=1,
            sha256="0" * 64,
            stored_bytes=1,
            attributes=attributes,
        )
        for place, attributes in enumerate(crashes)
    )
    filters = [{name: [[*condition, {"case_insensitive": folded}]]} for name, condition, folded in wanted]

    expected = {
        crash.pk
        for crash in made
        if all(holds(crash.attributes.get(name), *condition, folded) for name, condition, folded in wanted)
    }

    assert found(acme_project, filter=filters) == expected


@pytest.mark.parametrize(
    ("value", "condition", "expected"),
    [
        ("1.10", ("equal", "1.1"), False),
        ("1.10", ("equal", 1.1), True),
        ("123", ("equal", "123."), True),
        (123, ("equal", "123."), True),
        (123, ("equal", "123"), True),
        ("0123", ("equal", "123."), True),
        ("0123", ("equal", "123"), False),
        ("9", ("less-than", "10"), True),
        ("9", ("less-than", "10x"), False),
        ("word", ("at-least", 0), False),
        ("b", ("greater-than", "a"), True),
        ("É", ("equal", "é", {"case_insensitive": True}), True),
        ("Straße", ("contains", "RASS", {"case_insensitive": True}), False),
        ("a%b", ("contains", "%"), True),
        ("ab", ("contains", "%"), False),
        ("x' OR 'a'='a", ("equal", "x' OR 'a'='a"), True),
        (..., ("equal", "x' OR 'a'='a"), False),
        (..., ("not-equal", "x"), True),
        (..., ("not-contains", "x"), True),
        (..., ("inverse-regular-expression", "x"), True),
        (None, ("is-not-set",), True),
        ("", ("is-set",), True),
        (True, ("equal", True), True),
        (True, ("equal", "true"), True),
        ("Main", ("regular-expression", "^m"), False),
        ("Main", ("regular-expression", "^m", {"case_insensitive": True}), True),
        ("a\ufffdb", ("equal", "a\x00b"), True),
        (10**40, ("at-least", 5), False),
    ],
    ids=str,
)
def test_conditions_at_their_edges(matches, value, condition, expected):
    assert matches(value, *condition) is expected


def test_every_condition_has_to_hold(acme_project):
    crashes = [make_crash(acme_project, b"x", attributes={"n": n, "t": t}) for n, t in [(1, "a"), (5, "a"), (5, "b")]]

    assert found(acme_project, filter=[{"n": [["at-least", 2], ["at-most", 9]], "t": [["equal", "a"]]}]) == {
        crashes[1].pk
    }
    assert found(acme_project, filter=[{"n": [["at-least", 2]]}, {"t": [["equal", "b"]]}]) == {crashes[2].pk}
    assert len(found(acme_project, filter=[])) == 3


def test_what_every_crash_has_can_be_asked_for(acme_project):
    crash = make_crash(
        acme_project, b"x", fingerprint="a" * 64, classifiers=["TypeError"], title="it broke", days_old=2
    )
    make_crash(acme_project, b"x")
    day = 86_400
    now = crash.received_at.timestamp() + 2 * day

    for name, condition in {
        "_rxid": ["equal", crash.rxid],
        "object": ["equal", crash.object_id],
        "fingerprint": ["equal", "a" * 64],
        "fingerprint;state": ["is-not-set"],
        "classifiers": ["contains", "typeerror", {"case_insensitive": True}],
        "error.message": ["regular-expression", "^it"],
        "timestamp": ["at-most", f"{int(now - day)}."],
        "_received": ["less-than", now - day],
    }.items():
        others = found(acme_project, filter=[{name: [condition]}])
        assert crash.pk in others, name
        assert len(others) == (2 if name == "fingerprint;state" else 1), name


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([{"a": [["like", "x"]]}], "no such operator"),
        ([{"a": [[]]}], "no such operator"),
        ([{"a": [[1, 2]]}], "no such operator"),
        ([{"a": [["equal"]]}], "needs a value"),
        ([{"a": [["equal", None]]}], "a text or a number"),
        ([{"a": [["equal", {}]]}], "a text or a number"),
        ([{"a": [["equal", "x", True]]}], "options are one object"),
        ([{"a": [["equal", "x" * 8193]]}], "8192 characters"),
        ([{"a": [["regular-expression", "x" * 1001]]}], "1000 characters"),
        ([{"a": [["is-set"]] * 101}], "at most 100 conditions"),
        ([{"": [["is-set"]]}], "name of an attribute"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_filter_that_makes_no_sense_is_refused(acme_project, filters, said):
    with pytest.raises(Refusal, match=said) as refused:
        ask(acme_project, Query(filter=filters))
    assert refused.value.status == 400


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "*", "\\", "((a{1,99}){1,99}){1,99}"])
def test_a_regular_expression_that_is_none_is_refused(acme_project, pattern):
    make_crash(acme_project, b"x", attributes={"a": "aaa"})

    with pytest.raises(Refusal, match="regular expression"):
        found(acme_project, filter=[{"a": [["regular-expression", pattern]]}])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b"\xff",
        b'{"filter":{}}',
        b'{"filter":[{"a":["equal","x"]}]}',
        b'{"filter":[{"a":[["equal","x",{},1]]}]}',
        b'{"select":"a"}',
        b'{"fold":[]}',
        b'{"limit":"5"}',
        b'{"order":["a"]}',
        b"[" * 100_000,
        b'{"filter":' + b"[" * 100_000,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_body_that_is_no_query_is_refused(body):
    with pytest.raises(Refusal) as refused:
        decode(body)
    assert refused.value.status == 400
    assert "$" not in refused.value.message


def test_what_is_unknown_in_a_query_is_ignored_and_an_empty_body_asks_for_all():
    assert decode(b'{"limit": 5, "having": [], "table": "objects"}') == Query(limit=5)
    assert decode(b" ") == Query()
