"""Queries: selecting, folding, grouping, sorting and paging."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from crashes.models import Crash
from crashes.query import running, spreading
from crashes.results import Frame, Result, Thread
from tests.cast import Api, make_project, make_token
from tests.crashes.stored import add_result, make_crash, make_group

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_SECONDS = int(NOON.timestamp())


class Asking:
    """Asks about acme's project."""

    def __init__(self, token):
        self.path = f"/api/query?token={token}&universe=acme&project=native-app"

    def __call__(self, **query):
        answered = Api().post(self.path, query)
        assert answered.status_code == 200, answered.content
        body = answered.json()
        assert body["error"] is None
        return body["response"]

    def refusal(self, **query):
        refused = Api().post(self.path, query)
        assert refused.status_code == 400, refused.content
        error = refused.json()["error"]
        assert isinstance(error["code"], int)
        return error["message"]


@pytest.fixture
def ask(acme, acme_project):
    return Asking(make_token(acme, acme_project, scopes=["query:post"]))


def crash_with(project, minutes=0, **columns):
    return make_crash(project, b"x", received_at=NOON + timedelta(minutes=minutes), **columns)


def unpacked(column):
    """The values of a run-length encoded column."""
    assert column[0] == "*"
    return [value for value, times in column[1:] for _ in range(times)]


def test_attributes_are_selected_newest_first_in_runs(ask, acme_project):
    for minutes, host in enumerate(["a", "a", "b", None, "a"]):
        crash_with(acme_project, minutes, attributes={"hostname": host, "n": minutes, "flag": True})
    crashes = list(Crash.objects.order_by("-received_at"))

    found = ask(select=["hostname", "n", "flag", "missing"])

    assert found["columns"] == [["hostname", "none"], ["n", "none"], ["flag", "none"], ["missing", "none"]]
    assert found["columns_desc"][0] == {"op": "", "name": "hostname", "format": "none", "type": "dictionary"}
    assert found["values"] == [
        ["*", ["a", 1], [None, 1], ["b", 1], ["a", 2]],
        ["*", [4, 1], [3, 1], [2, 1], [1, 1], [0, 1]],
        ["*", [True, 5]],
        ["*", [None, 5]],
    ]
    assert found["objects"] == [["*", [[crash.object_id, 1] for crash in crashes]]]
    assert found["pagination"] == {"offset": 0, "limit": 1000}
    assert found["cardinalities"]["initial"] == {"rows": 5}


def test_what_every_crash_has_can_be_selected(ask, acme_project):
    seen = {"first_seen": NOON - timedelta(days=1), "last_seen": NOON + timedelta(days=1)}
    group = make_group(acme_project, "a" * 64, **seen)
    crash = crash_with(
        acme_project,
        uuid=UUID(int=7),
        occurred_at=NOON - timedelta(minutes=1),
        group=group,
        fingerprint="a" * 64,
        classifiers=["TypeError", "null"],
        title="TypeError: it broke",
        version="1.2",
        os_name="Linux",
        platform="native",
    )
    stack = [Frame(function="inner"), Frame(instruction_addr="0x10"), Frame(function="main")]
    add_result(crash, Result(platform="native", threads=[Thread([]), Thread(stack, crashed=True)]))
    expected = {
        "_rxid": crash.rxid,
        "object": crash.object_id,
        "timestamp": NOON_SECONDS - 60,
        "_received": NOON_SECONDS,
        "fingerprint": "a" * 64,
        "fingerprint;first_seen": NOON_SECONDS - 86_400,
        "fingerprint;last_seen": NOON_SECONDS + 86_400,
        "fingerprint;state": "open",
        "classifiers": "TypeError null",
        "uuid": "00000000-0000-0000-0000-000000000007",
        "error.message": "TypeError: it broke",
        "application.version": "1.2",
        "uname.sysname": "Linux",
        "_platform": "native",
        "_format": "minidump",
        "_state": "done",
        "_size": 1,
        "callstack": json.dumps({"frame": ["inner", "0x10", "main"]}, separators=(",", ":")),
    }

    found = ask(select=list(expected))

    assert {name: unpacked(column)[0] for name, column in zip(expected, found["values"], strict=True)} == expected
    formats = dict(found["columns"])
    assert (formats["timestamp"], formats["fingerprint"], formats["callstack"]) == (
        "unix_timestamp",
        "sha256",
        "callstack",
    )


def test_what_the_client_sent_wins_over_what_was_found(ask, acme_project):
    crash_with(acme_project, version="1", title="found", attributes={"application.version": "2", "error.message": "m"})

    found = ask(select=["application.version", "error.message"])

    assert [unpacked(column) for column in found["values"]] == [["2"], ["m"]]


def test_pages_and_orders(ask, acme_project):
    for minutes, value in enumerate([10, "9", "x", None, 9.5, "b"]):
        crash_with(acme_project, minutes, attributes={"v": value})

    def values(**query):
        return unpacked(ask(select=["v"], **query)["values"][0])

    assert values(order=[{"name": "v"}]) == ["9", 9.5, 10, "b", "x", None]
    assert values(order=[{"name": "v", "ordering": "descending"}]) == [10, 9.5, "9", "x", "b", None]
    assert values(order=[{"name": "timestamp", "ordering": "ascending"}], limit=2, offset=1) == ["9", "x"]
    assert values(limit=0) == []
    assert values(offset=5) == [10]
    assert values(offset=100) == []


def test_folds_over_groups(ask, acme_project):
    rows = [("a", 1, "x"), ("a", "2.5", "y"), ("a", None, "x"), ("b", "word", "x"), (None, 7, None)]
    for minutes, (group, number, text) in enumerate(rows):
        crash_with(acme_project, minutes, attributes={"group": group, "n": number, "t": text})
    operations = [["head"], ["tail"], ["count"], ["unique"], ["sum"], ["min"], ["max"], ["mean"], ["range"]]

    found = ask(fold={"n": operations, "t": [["distribution", 1], ["histogram"], ["head"]]}, group=[["group"]])

    assert found["columns"][:2] == [["head(n)", "none"], ["tail(n)", "none"]]
    assert found["factors_desc"] == [{"name": "group", "format": "none", "type": "dictionary"}]
    assert found["values"] == [
        [
            "a",
            [[1], ["2.5"], [2], [2], [3.5], [1], [2.5], [1.75], [1, 2.5]]
            + [[{"keys": 2, "tail": 1, "vals": [["x", 2]]}], [[["x", 2], ["y", 1]]], ["x"]],
            3,
        ],
        [
            "b",
            [["word"], ["word"], [1], [1], [None], [None], [None], [None], [None, None]]
            + [[{"keys": 1, "tail": 0, "vals": [["x", 1]]}], [[["x", 1]]], ["x"]],
            1,
        ],
        [
            None,
            [[7], [7], [1], [1], [7], [7], [7], [7], [7, 7]] + [[{"keys": 0, "tail": 0, "vals": []}], [[]], [None]],
            1,
        ],
    ]
    assert found["cardinalities"]["having"] == {"groups": 3}


def test_a_fold_without_a_group_is_one_row_and_none_without_crashes(ask, acme_project):
    assert ask(fold={"n": [["count"]]})["values"] == []
    crash_with(acme_project, attributes={"n": 5})

    assert ask(fold={"n": [["sum"]], "timestamp": [["range"], ["head"]]})["values"] == [
        ["*", [[5], [NOON_SECONDS, NOON_SECONDS], [NOON_SECONDS]], 1]
    ]


def test_crashes_are_grouped_by_fingerprint_as_clients_list_them(ask, acme_project):
    for minutes, fingerprint in enumerate(["1" * 64, "2" * 64, "1" * 64, ""]):
        crash = crash_with(acme_project, minutes, fingerprint=fingerprint)
        stack = [Frame(function=f"function{minutes}")]
        add_result(crash, Result(platform="native", threads=[Thread(stack, crashed=True)]))

    found = ask(fold={"callstack": [["head"], ["tail"]], "timestamp": [["range"]]}, group=["fingerprint"], limit=1)

    head, tail = ('{"frame":["function0"]}', '{"frame":["function2"]}')
    assert found["values"] == [["1" * 64, [[head], [tail], [NOON_SECONDS, NOON_SECONDS + 120]], 2]]
    assert found["columns"][0] == ["head(callstack)", "callstack"]
    assert found["cardinalities"] == {
        "initial": {"groups": 3},
        "having": {"groups": 3},
        "pagination": {"groups": 1},
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (";count", ["c", "b", "a"]),
        (";group", ["a", "b", "c"]),
        ("n;0", ["b", "c", "a"]),
        ("n;1", ["b", "a", "c"]),
        ("max(n)", ["b", "a", "c"]),
    ],
)
def test_groups_are_sorted_by_what_is_asked(ask, acme_project, name, expected):
    for group, numbers in {"a": [9], "b": [1, 2], "c": [3, 3, 12]}.items():
        for number in numbers:
            crash_with(acme_project, attributes={"g": group, "n": number})
    ordering = "descending" if name == ";count" else "ascending"

    found = ask(fold={"n": [["min"], ["max"]]}, group=[["g"]], order=[{"name": name, "ordering": ordering}])

    assert [row[0] for row in found["values"]] == expected


def test_bins_divide_what_lies_between_the_least_and_the_greatest(ask, acme_project):
    for number in [0, 1, 2, 3, 10, "10", "word"]:
        crash_with(acme_project, attributes={"g": "many", "n": number})
    crash_with(acme_project, attributes={"g": "one", "n": 5})
    crash_with(acme_project, attributes={"g": "none"})

    found = ask(fold={"n": [["bin", 5]]}, group=[["g"]], order=[{"name": ";group"}])

    assert [row[:2] for row in found["values"]] == [
        ["many", [[[[0, 2, 2], [2, 4, 2], [8, 10, 2]]]]],
        ["none", [[[]]]],
        ["one", [[[[5, 5, 1]]]]],
    ]


def test_other_projects_are_never_part_of_an_answer(ask, acme, acme_project, umbrella_project):
    mine = crash_with(acme_project, attributes={"v": "mine"})
    for project in (make_project(acme, "other"), umbrella_project):
        crash_with(project, attributes={"v": "theirs"})

    assert ask(select=["v"])["objects"] == [["*", [[mine.object_id, 1]]]]
    assert ask(fold={"v": [["histogram"]]})["values"] == [["*", [[[["mine", 1]]]], 1]]


def test_what_cannot_be_asked_is_refused_by_name(ask):
    assert "only one of them" in ask.refusal(select=["a"], fold={"a": [["head"]]})
    assert "needs a fold" in ask.refusal(select=["a"], group=["a"])
    assert "one attribute" in ask.refusal(fold={"a": [["head"]]}, group=["a", "b"])
    assert "no such operation" in ask.refusal(fold={"a": [["median"]]})
    assert "no such operation" in ask.refusal(fold={"a": [[]]})
    assert "no such operation" in ask.refusal(fold={"a": [[["head"]]]})
    assert "from 1 to 256" in ask.refusal(fold={"a": [["distribution", 0]]})
    assert "from 1 to 256" in ask.refusal(fold={"a": [["bin", "x"]]})
    assert "nothing of this name" in ask.refusal(fold={"a": [["head"]]}, order=[{"name": "a;0"}])
    assert "nothing of this name" in ask.refusal(fold={"a": [["max"]]}, order=[{"name": "a;7"}])
    assert "callstack" in ask.refusal(fold={"callstack": [["unique"]]})
    assert "callstack" in ask.refusal(select=["callstack"], limit=5000)
    assert "callstack" in ask.refusal(filter=[{"callstack": [["contains", "x"]]}])
    assert "limit" in ask.refusal(limit=10_001)
    assert "offset" in ask.refusal(offset=-1)
    assert "name of an attribute" in ask.refusal(select=[""])
    assert "name of an attribute" in ask.refusal(select=["x" * 201])


def test_an_answer_that_would_be_too_large_is_refused(ask, monkeypatch, acme_project):
    monkeypatch.setattr(spreading, "MOST_VALUES", 10)
    for number in range(3):
        crash_with(acme_project, attributes={"v": number})

    assert "fewer groups" in ask.refusal(fold={"v": [["distribution", 5]]}, group=["v"])


def test_a_query_that_takes_too_long_is_ended_and_says_so(ask, monkeypatch, acme_project):
    monkeypatch.setattr(running, "SECONDS", 0.05)
    crash_with(acme_project, attributes={"v": "a" * 8000})

    message = ask.refusal(filter=[{"v": [["regular-expression", "(a{1,200}){1,200}b"]]}])

    assert "takes longer" in message
    # The connection is as it was.
    assert ask(select=["_format"])["cardinalities"]["initial"] == {"rows": 1}
