"""Asking a dump for everything it has, as tests of damaged dumps and the bench do."""

from __future__ import annotations

from engine.minidump import Minidump, open_minidump


def ask_everything(data: bytes) -> Minidump:
    """Open a dump and read every stream, every region and every text of it. BadMinidump when it cannot be opened."""
    dump = open_minidump(data)
    str(dump.damaged)
    for thread in dump.threads:
        start = dump.start(thread)
        if start.registers is not None:
            dump.memory.find(start.registers.pc)
            str(start)
    for region in dump.memory:
        assert len(region.data) == region.end - region.start
    for module in dump.modules:
        str(module.debug_id)
    str(
        (dump.crash_reason, dump.assertion, dump.requesting_thread, dump.dump_thread, dump.crashpad, dump.client_stacks)
    )
    if dump.linux is not None:
        parsers = (dump.linux.mappings, dump.linux.arguments, dump.linux.variables, dump.linux.status_fields)
        str([parser() for parser in (*parsers, dump.linux.release, dump.linux.processors)])
    return dump
