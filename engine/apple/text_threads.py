"""The threads of a text report, put together from the headings and lines that tell about them."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.apple.report import MAX_THREADS, AppleFrame, AppleThread, UnreadableReport

_MAX_REGISTERS = 512
_QUEUE = "Dispatch queue:"


@dataclass(slots=True)
class _Thread:
    id: int
    name: str | None = None
    queue: str | None = None
    crashed: bool = False
    frames: list[AppleFrame] = field(default_factory=list)


class TextThreads:
    """Threads in the order of their first heading."""

    def __init__(self) -> None:
        self._by_id: dict[int, _Thread] = {}
        self._current: _Thread | None = None
        self._state_of: int | None = None
        self._registers: dict[str, int] = {}

    def open(self, number: int, mark: str, title: str) -> None:
        """A heading: `Thread 5 Crashed:: name  Dispatch queue: queue` (`mark` is Crashed), or `Thread 5 name: …`."""
        thread = self._by_id.get(number)
        if thread is None:
            if len(self._by_id) >= MAX_THREADS:
                raise UnreadableReport(f"the report has more than {MAX_THREADS} threads")
            thread = self._by_id[number] = _Thread(number)
        thread.crashed |= mark == "Crashed"
        name, found, queue = title.partition(_QUEUE)
        thread.name = name.strip() or thread.name
        thread.queue = (queue.strip() if found else None) or thread.queue
        self._current = thread

    def open_state(self, number: int | None) -> None:
        """The registers of a thread follow, those of the crashed one without a number."""
        self._state_of = number

    def add(self, frame: AppleFrame) -> None:
        """One more frame of the thread that was opened last."""
        if self._current is not None:
            self._current.frames.append(frame)

    def add_registers(self, values: dict[str, int]) -> None:
        if len(self._registers) < _MAX_REGISTERS:
            self._registers |= values

    def finished(self) -> tuple[AppleThread, ...]:
        """All threads; the registers belong to the crashed one, or to the one that their heading names."""
        owner = self._by_id.get(-1 if self._state_of is None else self._state_of)
        crashed = next((thread for thread in self._by_id.values() if thread.crashed), None)
        return tuple(self._finish(thread, thread is (owner or crashed)) for thread in self._by_id.values())

    def _finish(self, thread: _Thread, owns_registers: bool) -> AppleThread:
        return AppleThread(
            id=thread.id,
            name=thread.name,
            crashed=thread.crashed,
            registers=self._registers if owns_registers else {},
            frames=tuple(thread.frames),
            queue=thread.queue,
        )
