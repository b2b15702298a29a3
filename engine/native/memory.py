"""Caches in memory that are bounded by bytes and cost one dictionary look-up per hit."""

from __future__ import annotations

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TwoGenerations(Generic[K, V]):
    """Keeps what was used lately, in at most `limit` bytes as counted by the callers of `put`.

    When the young generation holds half of the limit it becomes the old one, and the old one is dropped; what is
    asked for again moves back to the young one.
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._lock = Lock()
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}
        self._used = 0

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        if found is not None:
            return found[0]
        found = self._old.get(key)
        if found is None:
            return None
        self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Remember `value`, which takes about `size` bytes."""
        with self._lock:
            if self._used + size > self._half and self._young:
                self._old, self._young, self._used = self._young, {}, 0
            self._young[key] = (value, size)
            self._used += size

    def drop(self, key: K) -> None:
        with self._lock:
            self._young.pop(key, None)
            self._old.pop(key, None)

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
