"""A minidump from its bytes to what a job is asked: its stacks are walked, its modules listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from engine.formats.bytewise import Data, mapped
from engine.minidump import ClientFrame, DumpThread, Minidump, Region, Registers, open_minidump
from engine.native.wire import Frame, Options, SymbolicateRequest, Thread
from engine.run.asked import Asked, CrashFacts, SystemFacts
from engine.run.book import RuleBook
from engine.run.dump_diagnosis import diagnose, left_out
from engine.run.dump_facts import dump_facts
from engine.run.dump_modules import DumpImages, ShownImages
from engine.run.question import Question
from engine.run.remembered import Remembered
from engine.run.report_wire import ReportOptions
from engine.run.walks import Walking, walk_all
from engine.unwind import Ended, ModuleMap, Trust, Walk, WalkedFrame, walk

MAX_FRAMES_PER_THREAD = 256
# Frames of one trust differ by their addresses only, which the thread has.
_FRAMES = {trust: Frame(0, trust=trust.value) for trust in Trust}
# Those that a signal interrupted: their address is the instruction itself. So is that of the first frame, which has to
# be said once any other frame says it.
_EXACT_FRAMES = {trust: Frame(0, trust=trust.value, adjust_instruction_addr=False) for trust in Trust}


@dataclass(slots=True)
class _Stack:
    """One thread on its way: how its frames were found, or those that the program itself wrote down.

    `left_out`: it was to be walked, and was not, since the others had frames enough.
    """

    thread: DumpThread
    registers: dict[str, int] = field(default_factory=dict)
    walk: Walk | None = None
    written: tuple[ClientFrame, ...] = ()
    left_out: bool = False


class _Beginning(NamedTuple):
    """Where the walk of one stack begins."""

    registers: Registers
    stack: Region | None


class DumpReading:
    """Reads one dump and walks its stacks. What waits, waits without the gate."""

    def __init__(self, engine: Remembered, data: Path | Data, options: ReportOptions, question: Question) -> None:
        """Raises BadReport."""
        self.engine = engine
        self.options = options
        self.question = question
        view = _opened(data)
        with engine.gate:
            self.dump = open_minidump(view)
            self.map = ModuleMap(self.dump.modules)
            self.images = DumpImages.of(self.dump.modules, options.rewrite_first_module, engine.identities)
            self.book = RuleBook(engine, question, self.images.identities)
            self.stacks = [_Stack(thread) for thread in self.dump.threads]

    def walk(self) -> None:
        """Walk all stacks, that of the crash first. Raises DeadlineExceeded."""
        with self.engine.gate:
            starts = self._starts()
        walks = walk_all(self._walks(starts), self.book, self.engine.gate, self.question.deadline)
        for number, start in starts.items():
            stack = self.stacks[number]
            stack.left_out = number not in walks
            stack.walk = self._unwalked(start.registers) if stack.left_out else walks[number]
            stack.registers = start.registers.values

    def asked(self, *, explain: bool) -> Asked:
        """What is to be symbolicated, once the stacks are walked; with `explain` more than the wire protocol has."""
        with self.engine.gate:
            shown = self.images.shown(self._touched(), self.book.unwound, self.engine.identities)
            return Asked(
                self._request(shown),
                shown.identities,
                crash_facts(self.dump).head,
                shown.unwound,
                self._diagnoses(shown) if explain else {},
                f',"dump":{dump_facts(self.dump, shown)}' if explain else "",
            )

    def _starts(self) -> dict[int, _Beginning]:
        """Where to begin, by the numbers of the stacks that are to be walked; the others are filled in."""
        dump, starts = self.dump, {}
        written = {stack.thread_id: stack.frames for stack in dump.client_stacks if stack.frames}
        for number, stack in enumerate(self.stacks):
            if stack.thread.id == dump.dump_thread:
                continue
            start = dump.start(stack.thread)
            if stack.thread.id in written:
                stack.written = written[stack.thread.id][:MAX_FRAMES_PER_THREAD]
                stack.registers = start.registers.values if start.registers else {}
            elif start.registers is not None:
                starts[number] = _Beginning(start.registers, start.stack)
        return starts

    def _walks(self, starts: dict[int, _Beginning]) -> Iterator[tuple[int, Walking]]:
        dump, asking = self.dump, self._asking()
        for number in sorted(starts, key=lambda number: number != asking):
            yield (
                number,
                walk(
                    starts[number].registers,
                    starts[number].stack,
                    dump.memory,
                    self.map,
                    self.book,
                    dump.system.os,
                    limit=MAX_FRAMES_PER_THREAD,
                ),
            )

    def _unwalked(self, registers: Registers) -> Walk:
        """The frame that is known without walking."""
        pc = registers.pc
        return Walk([WalkedFrame(pc, Trust.CONTEXT, self.map.find(pc))], registers.values, Ended.LIMIT)

    def _touched(self) -> set[int]:
        """The modules that unwinding came across."""
        frames = {frame.module for stack in self.stacks if stack.walk for frame in stack.walk.frames}
        return {module for module in frames if module is not None} | self.book.unwound.keys()

    def _request(self, shown: ShownImages) -> SymbolicateRequest:
        asking = self._asking()
        return SymbolicateRequest(
            self.options.platform,
            None,
            None,
            [_thread(stack, None if asking is None else number == asking) for number, stack in enumerate(self.stacks)],
            shown.modules,
            [self.dump.modules[number].base for number in shown.places],
            Options(dif_candidates=self.options.dif_candidates),
            self.options.scraping,
        )

    def _asking(self) -> int | None:
        """The index of the thread that crashed or asked for the dump."""
        asking = self.dump.requesting_thread
        ids = [stack.thread.id for stack in self.stacks]
        return ids.index(asking) if asking in ids else None

    def _diagnoses(self, shown: ShownImages) -> dict[int, str]:
        said = ((number, self._diagnosis(stack, shown)) for number, stack in enumerate(self.stacks))
        return {number: f',"diagnosis":{text}' for number, text in said if text}

    def _diagnosis(self, stack: _Stack, shown: ShownImages) -> str | None:
        if stack.walk is None:
            return None
        return left_out() if stack.left_out else diagnose(stack.walk, self.dump.system, self.book, shown)


def crash_facts(dump: Minidump) -> CrashFacts:
    """What the answer says of a dump besides its stacks and modules."""
    system = dump.system
    return CrashFacts(
        dump.timestamp,
        SystemFacts(system.os.value, system.version, system.build, system.cpu.value),
        dump.exception is not None,
        dump.crash_reason,
        assertion=dump.assertion,
    )


def _opened(data: Path | Data) -> Data:
    if not isinstance(data, Path):
        return data
    with open(data, "rb") as file:
        return mapped(file)


def _thread(stack: _Stack, asking: bool | None) -> Thread:
    if stack.walk is not None:
        frames = [_FRAMES[frame.trust] for frame in stack.walk.frames]
        for at in {0, *stack.walk.exact} if stack.walk.exact else ():
            frames[at] = _EXACT_FRAMES[stack.walk.frames[at].trust]
        addresses = [frame.address for frame in stack.walk.frames]
    else:
        frames = [Frame(frame.address, trust="prewalked", function=frame.symbol) for frame in stack.written]
        addresses = [frame.address for frame in stack.written]
    registers = {name: hex(value) for name, value in stack.registers.items()}
    plain = stack.walk is None or not stack.walk.exact
    return Thread(frames, addresses, registers, plain, stack.thread.id, stack.thread.name, asking)
