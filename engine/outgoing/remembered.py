"""What servers said a while ago, kept in memory within bounds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values with an age limit each; the least recently used ones go first. Safe to use from several threads."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] <= self._clock():
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, value: Value, seconds: float) -> None:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (self._clock() + seconds, value)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._kept.pop(key, None)
