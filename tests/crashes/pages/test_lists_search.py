"""The words of the search box, the names that groups are found by, and the same search by API and for runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crashes.again.choosing import Chosen, matching_crashes
from crashes.grouping import regrouping
from crashes.grouping.searched import MOST_NAMES, beginnings, remember, searched_names
from crashes.models import GroupName
from crashes.results import Frame
from crashes.searching import Asked, read_words
from crashes.searching import rows as searching
from crashes.searching.words import words_of
from projects.access import SYSTEM
from tests.cast import Api, make_token
from tests.crashes.grouping.making import grouped, make_crash, processed, stack

WORDS = [
    ("", Asked()),
    ("fn:post", Asked(functions=("post",))),
    ("function:std::vector", Asked(functions=("std::vector",))),
    ("std::vector", Asked(texts=("std::vector",))),
    ('"two words" more', Asked(texts=("two words", "more"))),
    ('fn:"operator new"', Asked(functions=("operator new",))),
    ("attr.host:web:80", Asked(attributes=(("host", "web:80"),))),
    ('attr."my name":"its value"', Asked(attributes=(("my name", "its value"),))),
    ("version:1 version:2", Asked(version="2")),
    ("state:set_aside state:ignored", Asked(state="set_aside", group_state="ignored")),
    ("IS:unnamed", Asked(unnamed=True)),
    ("is:unnamed is:regressed", Asked(unnamed=True, regressed=True)),
    ("since:2026-01-31", Asked(since=datetime(2026, 1, 31, tzinfo=UTC))),
    ("group:7", Asked(group=7)),
    ('"fn:post"', Asked(texts=("fn:post",))),
]


@pytest.mark.parametrize(("text", "asked"), WORDS, ids=[text or "nothing" for text, _ in WORDS])
def test_words_say_what_is_asked(text, asked):
    found, problems = read_words(text)
    assert (found, problems) == (asked, [])


@pytest.mark.parametrize("text", [text for text, asked in WORDS if not asked.since])
def test_what_is_asked_can_be_said_in_words_again(text):
    asked, _ = read_words(text)
    assert read_words(words_of(asked)) == (asked, [])


@pytest.mark.parametrize(
    "text",
    ["colour:red", "fn:", "is:red", "state:lost", "group:x", "since:soon", "since:2026-13-01", "version:" + "1" * 300,
     "a " * 600, " ".join(f"fn:{number}" for number in range(11)), " ".join(f"attr.a{n}:1" for n in range(11))],
    ids=["key", "value", "is", "state", "group", "time", "date", "long", "longer", "functions", "attributes"],
)  # fmt: skip
def test_a_word_that_is_not_understood_is_said_so(text):
    assert read_words(text)[1]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ledger::Book::post", {"ledger::book::post", "book::post", "post"}),
        ("com.acme.Cart.total", {"com.acme.cart.total", "acme.cart.total", "cart.total", "total"}),
        ("main", {"main"}),
        ("-[Cart total]", {"-[cart total]", "cart total]", "total]"}),
        ("", set()),
        ("x" * 900, {"x" * 200}),
    ],
    ids=["c++", "java", "plain", "objective-c", "empty", "long"],
)
def test_a_name_is_found_from_each_of_its_last_parts_on(name, found):
    assert set(beginnings(name)) == found


def test_names_come_from_the_crashed_stack_only():
    names = {name for _, name in searched_names(stack("post", Frame(function="f", package="/lib/libc.so.6")))}
    assert names == {"post", "f", "libc.so"}


@pytest.mark.django_db
class TestStored:
    def test_a_group_has_a_bounded_number_of_names(self, acme_project):
        group = grouped(acme_project, "post").group
        remember(acme_project.pk, group.pk, {("function", f"f{number}") for number in range(MOST_NAMES)})
        remember(acme_project.pk, group.pk, {("function", "one more")})
        assert not GroupName.objects.filter(name="one more").exists()

    def test_another_crash_of_the_group_adds_what_is_new(self, acme_project):
        grouped(acme_project, *(f"f{number}" for number in range(13)))
        grouped(acme_project, *(f"f{number}" for number in range(12)), "other")
        assert GroupName.objects.filter(name="other").count() == GroupName.objects.filter(name="f1").count() == 1

    def test_a_group_that_goes_takes_its_names_along(self, acme_project):
        crash = grouped(acme_project, "post")
        processed(crash, stack("other"))
        assert set(GroupName.objects.values_list("name", flat=True)) == {"other"}

    def test_grouping_again_finds_the_names_of_older_crashes(self, acme_project):
        grouped(acme_project, "post")
        GroupName.objects.all().delete()
        rerun = regrouping.start(project=acme_project, actor=SYSTEM)
        regrouping.advance(rerun.pk)
        assert GroupName.objects.get().name == "post"

    def test_many_crashes_with_an_attribute_are_found_like_few(self, acme_project, monkeypatch):
        made = [grouped(acme_project, f"f{number}", attributes={"n": "1"}) for number in range(3)]
        grouped(acme_project, "other", attributes={"n": "2"})
        asked = Asked(attributes=(("n", "1"),))
        for most in (10, 2):
            monkeypatch.setattr(searching, "_FEW", most)
            assert set(searching.matching_crashes(acme_project, asked)) == set(made)
            assert {group.pk for group in searching.matching_groups(acme_project, asked)} == {
                crash.group_id for crash in made
            }

    def test_a_run_means_all_groups_that_a_search_finds(self, acme_project, monkeypatch):
        monkeypatch.setattr(searching, "_MOST_GROUPS", 1)
        made = {grouped(acme_project, f"step::f{number}").pk for number in range(3)}
        chosen = Chosen(search="fn:step", state="done")
        assert {crash.pk for crash in matching_crashes(acme_project.pk, chosen)} == made

    def test_the_api_finds_by_names_as_well(self, acme, acme_project):
        crash = grouped(acme_project, "ledger::post", unnamed_count=1)
        make_crash(acme_project)
        api, base = Api(make_token(acme)), "/api/0/projects/acme/native-app/crashes/"
        for query in ("fn=post", "fn=ledger&fn=post", "unnamed=1"):
            assert [row["id"] for row in api.get(f"{base}?{query}").json()] == [str(crash.pk)], query
            assert [row["id"] for row in api.get(f"{base}groups/?{query}").json()] == [str(crash.group_id)], query
        assert api.get(f"{base}groups/?fn=nothing").json() == []
        assert api.get(f"{base}?unnamed=2").status_code == 400
        assert api.get(f"{base}?{'&'.join(f'fn={n}' for n in range(11))}").status_code == 400

    def test_a_run_by_api_says_which_words_it_does_not_understand(self, acme, acme_project):
        api = Api(make_token(acme))
        answer = api.post("/api/0/projects/acme/native-app/crashes/reruns/", {"filter": {"search": "colour:red"}})
        assert answer.status_code == 400
        assert "colour" in answer.content.decode()
