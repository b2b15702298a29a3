"""Walking the stacks of all threads of a dump side by side, so that what they wait for is fetched at the same time."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager

from engine.outgoing import Deadline
from engine.run.book import RuleBook
from engine.unwind import Need, Walk

# All threads together. A file of a few megabytes can claim that many threads with the deepest stack each that no
# answer could be held in memory.
MAX_FRAMES = 250_000
Walking = Generator[Need, None, Walk]


def walk_all(
    walks: Iterable[tuple[int, Walking]],
    book: RuleBook,
    gate: AbstractContextManager[None],
    deadline: Deadline,
    max_frames: int = MAX_FRAMES,
) -> dict[int, Walk]:
    """Drive every walk to its end, the first ones first; the walks by the number that comes with each.

    Those that have not ended when `max_frames` are reached are missing. Raises DeadlineExceeded.
    """
    driver = _Driver(book, gate, deadline, max_frames)
    running = list(walks)
    while running and driver.frames < max_frames:
        running = driver.advance(running)
        if running:
            book.supply(driver.needs)
    return driver.ended


class _Driver:
    def __init__(self, book: RuleBook, gate: AbstractContextManager[None], deadline: Deadline, max_frames: int) -> None:
        self.ended: dict[int, Walk] = {}
        self.needs: list[Need] = []
        self.frames = 0
        self._book = book
        self._gate = gate
        self._deadline = deadline
        self._max_frames = max_frames

    def advance(self, running: list[tuple[int, Walking]]) -> list[tuple[int, Walking]]:
        """Let each walk go on until it needs something; those that do."""
        waiting = []
        self.needs = []
        for number, walk in running:
            self._deadline.check()
            if self.frames >= self._max_frames:
                return []
            with self._gate:
                need = self._step(number, walk)
            if need is not None:
                self.needs.append(need)
                waiting.append((number, walk))
        return waiting

    def _step(self, number: int, walk: Walking) -> Need | None:
        try:
            return next(walk)
        except StopIteration as ended:
            self.ended[number] = found = ended.value
            self.frames += len(found.frames)
            return None
