"""Minidumps: every stream, Crashpad's annotations, and stacks walked through damaged memory."""

from __future__ import annotations

import struct

from engine.minidump import BadMinidump, open_minidump
from engine.unwind import ModuleMap, walk
from fuzz.seeds import corpus, files, shared
from fuzz.target import Target
from tests.engine.minidump.everything import ask_everything
from tests.engine.minidump.test_hostile import rich
from tests.engine.minidump.writer import CONTEXTS, Os, Writer
from tests.engine.unwind.support import Book, drive, rules_of

_STREAMS = [struct.pack("<I", number) for number in (3, 4, 5, 6, 7, 9, 14, 15, 16, 24, 0x43500001, 0x53790001)]
_RULES = b"STACK CFI INIT 0 ffffffff .cfa: $rsp 16 + .ra: .cfa -8 + ^ $rbp: .cfa -16 + ^\n"
_MOST_THREADS = 8


def _seeds() -> list[bytes]:
    written = [rich(cpu, system, big) for cpu in CONTEXTS for system, big in ((Os.LINUX, False), (Os.WINDOWS, True))]
    return [*written, *shared("**/*.dmp", most=64 << 10), *corpus("minidump")]


def _annotated() -> list[bytes]:
    lists = {0: {"list": ["x", "y"], "simple": {"c": "d", "": ""}, "objects": [("e", 1, b"f"), ("g", 2, b"")]}}
    return [
        Writer(big_endian=big).thread(1, {}).crashpad({"a": "b", "": "c"}, lists).build() for big in (False, True)
    ] + list(corpus("crashpad"))


def _annotations(data: bytes) -> None:
    crashpad = open_minidump(data).crashpad
    str(crashpad).encode("utf-8", "surrogatepass")


def _walked(data: bytes) -> None:
    """Every thread of a dump has a stack of bounded depth, with rules for its first module and without."""
    dump = open_minidump(data)
    modules = ModuleMap(dump.modules)
    for thread in dump.threads[:_MOST_THREADS]:
        start = dump.start(thread)
        if start.registers is not None:
            book = Book({0: rules_of(_RULES)})
            walked = drive(walk(start.registers, start.stack, dump.memory, modules, book, dump.system.os), book)
            assert 1 <= len(walked.frames) <= 256
            assert all(0 <= frame.address < 1 << 64 for frame in walked.frames)


TARGETS = (
    Target("minidump", _seeds, ask_everything, (BadMinidump,), words=_STREAMS, runs=1200),
    Target("crashpad", _annotated, _annotations, (BadMinidump,), words=_STREAMS, runs=600),
    Target(
        "stack walk",
        lambda: [*_seeds(), *files("crash/*.dmp.xz")],
        _walked,
        (BadMinidump,),
        words=_STREAMS,
        runs=150,
    ),
)
