"""A crash as large as crashes get."""

from __future__ import annotations

from crashes.results import Failure, Frame, Module, Result, Thread, packed

THREADS, FRAMES, MODULES = 300, 100, 500


def huge() -> bytes:
    """Its stored result: the last thread crashed; a tenth of the modules were not found."""
    threads = [_thread(number) for number in range(THREADS)]
    modules = [_module(number) for number in range(MODULES)]
    return packed(
        Result(
            platform="native", reason="SIGSEGV", failures=[Failure("SIGSEGV", "0x10")], threads=threads, modules=modules
        )
    )


def _thread(number: int) -> Thread:
    frames = [_frame(number, depth) for depth in range(FRAMES)]
    return Thread(frames, str(1000 + number), f"worker {number}", crashed=number == THREADS - 1)


def _frame(number: int, depth: int) -> Frame:
    at = (number * 7 + depth * 3) % MODULES
    package = f"/srv/app/lib/libpart{at}.so"
    address = hex(0x7F0000000000 + at * 0x100000 + depth * 16)
    if at % 10 == 0:
        return Frame(status="missing", package=package, instruction_addr=address, trust="scan")
    function = f"part{at}::Worker<{depth}>::handle(part{at}::Request const&, std::vector<int> const&)"
    return Frame(
        function=function, package=package, instruction_addr=address, filename=f"worker{depth}.cpp",
        abs_path=f"/build/src/part{at}/worker{depth}.cpp", lineno=depth + 1, trust="cfi",
    )  # fmt: skip


def _module(number: int) -> Module:
    found = number % 10 != 0
    diagnosis = (
        None if found else {"verdict": "not_found", "cause": "No source has it.", "remedy": "Upload it.", "sources": []}
    )
    return Module(
        "elf", code_file=f"/srv/app/lib/libpart{number}.so", debug_id=f"{number:08x}-0000-4000-8000-000000000000",
        image_addr=hex(0x7F0000000000 + number * 0x100000), image_size=0x100000,
        debug_status="found" if found else "missing", diagnosis=diagnosis,
    )  # fmt: skip
