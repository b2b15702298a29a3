"""Forgetting on purpose: who may be selected, in memory of other processes, and against what was already under way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.caches import BadSelection, Labels, Miss, Purges, Selection, Shelf, purge, usage
from engine.errors import FailureKind, LookupFailure
from engine.owners import owner_tag
from engine.sourcetypes.sentry.listing import Listings

ACME, UMBRELLA = "organization:1", "organization:2"
DEBUG_ID = "426f9862-c46b-48c4-d981-64228ac3631d"
CODE_ID = "62986f426bc4c448d98164228ac3631dbeb993e8"
NOT_FOUND = LookupFailure(FailureKind.NOT_FOUND)


def labels(owner=ACME, source="builds", debug_id=DEBUG_ID, code_id=CODE_ID):
    return Labels(source, owner_tag(owner) + "f" * 64, "global", debug_id, code_id)


def select(**fields):
    return Selection.of(**fields)


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path, "objects", "1", 1000, Purges(tmp_path))


def put(shelf, key, marks, *, miss=False, created=None):
    shelf.path(key).parent.mkdir(parents=True, exist_ok=True)
    if miss:
        shelf.write_miss(key, Miss.of(NOT_FOUND, 100, created), marks)
    else:
        shelf.path(key).write_bytes(b"content")
        shelf.write_facts(key, b"{}", marks, created=created)


class TestSelections:
    @pytest.mark.parametrize(
        ("selection", "fits"),
        [
            (select(), True),
            (select(owner=ACME), True),
            (select(owner=UMBRELLA), False),
            (select(sources=["builds", "other"]), True),
            (select(sources=["other"]), False),
            (select(sources=[]), False),
            (select(module=DEBUG_ID), True),
            (select(module=DEBUG_ID.upper().replace("-", "") + "0"), True),
            (select(module=CODE_ID.upper()), True),
            (select(module="00000000-0000-0000-0000-000000000001"), False),
            (select(owner=ACME, sources=["builds"], module=DEBUG_ID), True),
            (select(owner=UMBRELLA, sources=["builds"], module=DEBUG_ID), False),
        ],
    )
    def test_a_file_fits_when_all_that_is_said_fits(self, selection, fits):
        assert selection.matches(labels()) is fits

    def test_an_id_without_an_age_selects_every_age_and_one_with_an_age_its_own(self):
        aged = labels(debug_id=f"{DEBUG_ID}-2")
        assert select(module=DEBUG_ID).matches(aged)
        assert select(module=f"{DEBUG_ID}-2").matches(aged)
        assert not select(module=f"{DEBUG_ID}-1").matches(aged)

    @pytest.mark.parametrize("text", ["honk", "-", "../../etc", "zz" * 20, "12"])
    def test_what_is_no_id_is_refused(self, text):
        with pytest.raises(BadSelection):
            select(module=text)

    @given(st.text(max_size=60))
    def test_any_text_either_selects_something_or_is_refused(self, text):
        try:
            selection = select(module=text or "-")
        except BadSelection:
            return
        assert selection.ids


def test_what_was_purged_is_unknown_and_gone_and_all_else_stays(shelf, tmp_path):
    put(shelf, "aa01", labels())
    put(shelf, "aa02", labels(), miss=True)
    put(shelf, "bb03", labels(source="other"))
    put(shelf, "bb04", labels(owner=UMBRELLA))

    removed = purge(tmp_path, select(owner=ACME, sources=["builds"]))

    assert (removed.files, removed.misses) == (1, 1)
    assert removed.bytes > 0
    assert [bool(shelf.read(key)) for key in ("aa01", "aa02", "bb03", "bb04")] == [False, False, True, True]
    assert {path.name for path in tmp_path.glob("objects/*/*/*")} == {"bb03", "bb03.json", "bb04", "bb04.json"}


def test_usage_counts_by_kind_what_is_selected(shelf, tmp_path):
    put(shelf, "aa01", labels())
    put(shelf, "aa02", labels(), miss=True)
    derived = Shelf(tmp_path, "symcaches", "1", 1000)
    derived.path("cc05").parent.mkdir(parents=True)
    derived.path("cc05").write_bytes(b"x" * 5000)
    derived.label("cc05", labels())
    put(derived, "cc06", labels(owner=UMBRELLA))

    found = usage(tmp_path, select(owner=ACME))

    assert {kind: (one.files, one.misses) for kind, one in found.items()} == {"objects": (1, 1), "symcaches": (1, 0)}
    assert found["symcaches"].bytes == 8192 + 4096
    assert usage(tmp_path, select())["symcaches"].files == 2


def test_files_that_say_nothing_are_found_by_purging_everything_alone(tmp_path):
    shelf = Shelf(tmp_path, "other", "1", 1000)
    shelf.path("aa01").parent.mkdir(parents=True)
    shelf.path("aa01").write_bytes(b"x")
    shelf.path("aa02").with_suffix(".json").write_bytes(b"not json")

    assert purge(tmp_path, select(owner=ACME)).files == 0
    assert purge(tmp_path, select()).files == 1
    assert not list(tmp_path.glob("other/*/*/*"))


def test_an_answer_to_a_question_asked_before_the_purge_is_not_believed(shelf, tmp_path):
    began = time.time()
    purge(tmp_path, select(module=DEBUG_ID))

    put(shelf, "aa01", labels(), miss=True, created=began)
    put(shelf, "aa02", labels(), created=began)
    put(shelf, "aa03", labels(debug_id="", code_id=""), created=began)
    put(shelf, "aa04", labels(), created=time.time())

    assert [bool(shelf.read(key)) for key in ("aa01", "aa02", "aa03", "aa04")] == [False, False, True, True]


def test_other_purges_meanwhile_undo_nothing(shelf, tmp_path):
    began = time.time()
    purge(tmp_path, select(module=DEBUG_ID))
    purge(tmp_path, select(owner=UMBRELLA))
    put(shelf, "aa01", labels(), created=began)

    assert shelf.read("aa01") is None


def test_tokens_change_for_those_concerned_alone(tmp_path):
    purges, mine, others = Purges(tmp_path), [labels().source_key], [labels(owner=UMBRELLA).source_key]
    assert purges.token(mine) == purges.token(others) == ""

    Purges(tmp_path).add(select(owner=ACME))
    first = purges.token(mine)
    assert first
    assert purges.token(others) == ""

    Purges(tmp_path).add(select(owner=ACME, module=DEBUG_ID))
    second = purges.token(mine)
    assert second != first

    Purges(tmp_path).add(select(module=DEBUG_ID))
    assert purges.token(mine) not in ("", first, second)
    assert purges.token(others)


def test_a_purge_of_another_process_is_seen_at_once_each_time(tmp_path):
    purges, seen = Purges(tmp_path), {""}
    program = (
        "import sys, pathlib; from engine.caches import Purges, Selection\n"
        "purges = Purges(pathlib.Path(sys.argv[1]))\n"
        "for line in sys.stdin: purges.add(Selection()); print('done', flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for number in range(50):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "done\n"
            seen.add(purges.token([]))
            assert len(seen) == number + 2
        process.stdin.close()


def test_purges_of_many_threads_are_all_kept(tmp_path):
    def work(number):
        Purges(tmp_path).add(select(owner=f"organization:{number}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(Purges(tmp_path).latest()) == {owner_tag(f"organization:{number}") for number in range(16)}


def test_old_purges_are_dropped(tmp_path, monkeypatch):
    purges = Purges(tmp_path)
    purges.add(select(owner=ACME))
    later = time.time() + 3 * 3600
    monkeypatch.setattr("engine.caches.purges.time.time", lambda: later)
    purges.add(select(owner=UMBRELLA))

    assert set(purges.latest()) == {owner_tag(UMBRELLA)}


def test_a_damaged_note_counts_as_a_purge_of_everything(shelf, tmp_path):
    put(shelf, "aa01", labels())
    (tmp_path / "purges.json").write_bytes(b"\x00nonsense")

    assert shelf.read("aa01") is None


def test_asking_costs_next_to_nothing(tmp_path):
    purges = Purges(tmp_path)
    purges.add(select(owner=UMBRELLA))
    keys = [labels().source_key] * 3
    best = min(_seconds(lambda: purges.token(keys)) for _ in range(20))

    assert best < 20e-6


def _seconds(call):
    started = time.perf_counter()
    for _ in range(200):
        call()
    return (time.perf_counter() - started) / 200


def test_lists_in_memory_are_forgotten_for_those_concerned_alone(tmp_path):
    listings, asked = Listings(), []
    mine, others = (labels().source_key, "debug_id=1"), (labels(owner=UMBRELLA).source_key, "debug_id=1")

    def look():
        for key in (mine, others):
            listings.get(key, lambda key=key: asked.append(key) or ())

    purges = Purges(tmp_path, listings.forget_of)
    look()
    Purges(tmp_path).add(select(owner=ACME))
    purges.latest()
    look()
    assert asked == [mine, others, mine]

    Purges(tmp_path).add(select())
    purges.latest()
    look()
    assert asked == [mine, others, mine, mine, others]
