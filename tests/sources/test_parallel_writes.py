"""Many writers at once, in transactions of their own: nothing is lost and nothing is there twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from projects.models import Organization, Project
from sources.models import SymbolSource
from tests.cast import Api
from tests.sources.helpers import HIDDEN, HTTP, S3, Endpoint, without

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 8


def at_once(calls: Sequence[Callable[[], int]]) -> list[int]:
    """The status of each call, all of them started together."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], int]) -> int:
        try:
            barrier.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def revision(endpoint: Endpoint) -> int:
    holder = Project if "/projects/" in endpoint.path else Organization
    return holder.objects.get().sources_revision


def test_parallel_new_sources_are_all_kept_in_places_of_their_own(either):
    statuses = at_once([lambda n=n: either.post({**HTTP, "id": f"n{n}"}).status_code for n in range(WRITERS)])
    assert statuses == [201] * WRITERS
    assert sorted(either.ids()) == [f"n{n}" for n in range(WRITERS)]
    assert sorted(SymbolSource.objects.values_list("position", flat=True)) == list(range(WRITERS))
    assert revision(either) == WRITERS


def test_of_parallel_sources_with_one_id_one_is_kept(either):
    statuses = at_once([lambda: either.post(HTTP).status_code for _ in range(WRITERS)])
    assert Counter(statuses) == {201: 1, 400: WRITERS - 1}
    assert either.ids() == ["honk"]
    assert revision(either) == 1


def test_parallel_sources_without_ids_get_different_ones(either):
    at_once([lambda: either.post(without(HTTP, "id")).status_code for _ in range(WRITERS)])
    assert len(set(either.ids())) == WRITERS


def test_parallel_replacements_of_different_sources_are_all_kept(either):
    either.add(*({**HTTP, "id": f"n{n}"} for n in range(WRITERS)))
    statuses = at_once(
        [
            lambda n=n: either.put(f"n{n}", {**HTTP, "id": f"n{n}", "name": f"new {n}", "password": HIDDEN}).status_code
            for n in range(WRITERS)
        ]
    )
    assert statuses == [200] * WRITERS
    assert [source["name"] for source in either.list()] == [f"new {n}" for n in range(WRITERS)]


def test_parallel_replacements_of_one_source_leave_one_of_them_whole(either):
    either.add(HTTP)
    bodies = [{**HTTP, "name": f"new {n}", "url": f"http://new{n}.example"} for n in range(WRITERS)]
    assert at_once([lambda body=body: either.put("honk", body).status_code for body in bodies]) == [200] * WRITERS
    (left,) = either.list()
    assert left in [{**body, "password": HIDDEN} for body in bodies]
    assert SymbolSource.objects.get().revision == WRITERS + 1


def test_parallel_renames_to_one_id_let_one_win(either):
    either.add(*({**HTTP, "id": f"n{n}"} for n in range(WRITERS)))
    statuses = at_once([lambda n=n: either.put(f"n{n}", {**HTTP, "id": "same"}).status_code for n in range(WRITERS)])
    assert Counter(statuses) == {200: 1, 400: WRITERS - 1}
    assert len(set(either.ids())) == WRITERS


def test_parallel_mixed_writes_do_not_disturb_each_other(either):
    either.add(*({**HTTP, "id": f"n{n}"} for n in range(4)))
    statuses = at_once(
        [
            *[lambda n=n: either.post({**S3, "id": f"s{n}"}).status_code for n in range(4)],
            lambda: either.put("n0", {**HTTP, "id": "r0"}).status_code,
            lambda: either.put("n1", {**HTTP, "id": "n1", "name": "new"}).status_code,
            lambda: either.delete("n2").status_code,
            lambda: either.delete("n3").status_code,
        ]
    )
    assert statuses == [201] * 4 + [200, 200, 204, 204]
    assert sorted(either.ids()) == ["n1", "r0", "s0", "s1", "s2", "s3"]
    positions = list(SymbolSource.objects.values_list("position", flat=True))
    assert len(set(positions)) == len(positions)


def test_the_limit_holds_in_parallel(either):
    either.add(*({**HTTP, "id": f"n{n}"} for n in range(60)))
    statuses = at_once([lambda n=n: either.post({**HTTP, "id": f"p{n}"}).status_code for n in range(WRITERS)])
    assert Counter(statuses) == {201: 4, 400: 4}


def test_readers_need_no_lock(either, api: Api):
    either.add(HTTP)
    calls = [lambda: Endpoint(api, either.path).get("honk").status_code] * 4 + [
        lambda: either.put("honk", HTTP).status_code
    ] * 4
    assert at_once(calls) == [200] * 8
