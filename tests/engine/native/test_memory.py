"""Caches bounded by bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.native.fragments import NO_SYMBOL, FragmentCache
from engine.native.memory import TwoGenerations


def test_what_was_put_is_found_until_it_is_dropped():
    cache = TwoGenerations(1000)
    cache.put("a", 1, 10)
    assert cache.get("a") == 1
    cache.drop("a")
    assert cache.get("a") is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30))))
def test_it_never_holds_more_than_its_limit(puts):
    cache = TwoGenerations(100)
    for key, size in puts:
        cache.put(key, key, size)
        assert sum(size for _, size in cache._young.values()) <= 50
        assert sum(size for _, size in cache._old.values()) <= 50


def test_what_is_used_stays():
    cache = TwoGenerations(100)
    cache.put("used", True, 10)
    for number in range(100):
        cache.put(number, number, 10)
        assert cache.get("used")
    assert len(cache) <= 10


def test_fragments_in_use_survive_their_generation():
    cache = FragmentCache(limit=10 * NO_SYMBOL.size)
    table = cache.table("one")
    cache.add(table, [(at, NO_SYMBOL) for at in range(20)])
    assert len(table) == 20
    assert cache.table("one") is not table
    assert cache.recall("one", cache.table("one"), 3) is NO_SYMBOL
    assert cache.table("one") == {3: NO_SYMBOL}


def test_fragments_of_two_generations_ago_are_gone():
    cache = FragmentCache(limit=4 * NO_SYMBOL.size)
    cache.add(cache.table("old"), [(1, NO_SYMBOL)])
    for identity in ("a", "b"):
        cache.add(cache.table(identity), [(at, NO_SYMBOL) for at in range(3)])
    assert cache.recall("old", cache.table("old"), 1) is None
