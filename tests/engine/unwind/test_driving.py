"""Threads' walks side by side: each says what it needs the moment it needs it, and only once for all of them."""

from __future__ import annotations

import threading

from engine.minidump import Cpu, Os, Registers
from engine.unwind import ModuleMap, Need, RuleBudget, walk
from tests.engine.unwind.support import CODE, MODULES, STACK, Book, Regions, drive, rules_of, words

TEXT = "STACK CFI INIT 0 10000 .cfa: $rsp 8 + .ra: .cfa -8 + ^"


def walking(pc: int, stack: list[int], book: Book):
    region = words(STACK, stack)
    start = Registers(Cpu.X86_64, {"rip": pc, "rsp": STACK})
    return walk(start, region, Regions((region,)), ModuleMap(MODULES), book, Os.LINUX)


def test_the_rules_of_a_module_are_needed_when_a_frame_lands_in_it() -> None:
    book = Book({0: rules_of(TEXT), 1: rules_of(TEXT)})
    drive(walking(CODE, [CODE + 8, 0x600010, CODE + 8, 0], book), book)
    assert book.met == [Need("cfi", 0), Need("cfi", 1)]


def test_symbols_are_needed_when_rules_refuse_a_word() -> None:
    book = Book({1: rules_of("STACK CFI INIT 0 4 .cfa: $rsp 8 + .ra: .cfa -8 + ^")})
    drive(walking(CODE, [0x600010], book), book)
    assert book.met == [Need("cfi", 0), Need("cfi", 1), Need("symcache", 1)]


def test_walks_that_wait_for_one_module_go_on_together() -> None:
    book = Book({0: rules_of(TEXT)})
    walks = [walking(CODE, [CODE + 8 * at, 0], book) for at in range(1, 4)]
    assert [next(one) for one in walks] == [Need("cfi", 0)] * 3
    book.met.append(Need("cfi", 0))
    assert [len(drive(one, book).frames) for one in walks] == [2, 2, 2]
    assert book.met == [Need("cfi", 0)]


def test_threads_share_the_rules_of_a_module() -> None:
    text = "\n".join(f"STACK CFI INIT {at:x} 4 .cfa: $rsp 8 + .ra: .cfa -8 + ^" for at in range(0, 0x1000, 4))
    shared, lengths = rules_of(text, RuleBudget(64)), []

    def work() -> None:
        book = Book({0: shared})
        for at in range(10):
            stack = [CODE + 4 * ((at + step) % 0x300) + 2 for step in range(200)]
            lengths.append(len(drive(walking(CODE + 1, [*stack, 0], book), book).frames))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == [201] * 40
