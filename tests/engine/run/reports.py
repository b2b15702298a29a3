"""Crash reports on their way through an engine, and the symbols they need in a directory."""

from __future__ import annotations

import json
import lzma
from itertools import groupby
from pathlib import Path

from symbolic import Archive

from engine.modules import DebugId
from engine.outgoing import Deadline, Trust
from engine.run import Engine
from engine.run.report_wire import ReportOptions
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.run.gdb_frames import CRASHES, own_files
from tests.engine.run.serving import FIXTURES, KEY

BENCH = Path(__file__).parents[3] / "bench"
ANSWER_ALL = ReportOptions(dif_candidates=True)


def unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def directory_source(directory: Path, *, id="files", owner="acme", **fields):
    """Files in a directory, in the native layout unless `fields` say otherwise."""
    config = decode_sources([{"id": id, "type": "filesystem", "path": str(directory)} | fields], operator=True)[0]
    return open_source(config, owner=owner, trust=Trust.ALL, digest_key=KEY)


def put(directory: Path, path: str, data: bytes) -> None:
    place = directory / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def put_elf(directory: Path, data: bytes) -> None:
    code_id = next(Archive.from_bytes(data).iter_objects()).code_id
    put(directory, f"{code_id[:2]}/{code_id[2:]}", data)


def put_breakpad(directory: Path, data: bytes) -> None:
    """A Breakpad symbol file, where its MODULE record says it belongs."""
    _, _, _, id, name = data.split(b"\n", 1)[0].decode().split(" ", 4)
    put(directory, f"{name}/{id}/{name.removesuffix('.pdb')}.sym", data)


def put_pdb(directory: Path, data: bytes, name: str) -> None:
    debug_id = DebugId.parse(next(Archive.from_bytes(data).iter_objects()).debug_id)
    put(directory, f"{name}/{debug_id.breakpad}/{name}", data)


def put_own_files(directory: Path) -> None:
    """The program's own files of the captured crashes."""
    for crash in CRASHES:
        for data in own_files(crash).values():
            put_elf(directory, data)


def put_system_rules(directory: Path) -> None:
    """The unwind rules of the system libraries that the captured crashes ran with."""
    for path in sorted((FIXTURES / "system_cfi").glob("*.cfi.xz")):
        put_breakpad(directory, unpacked(path))


def ask_dump(engine: Engine, dump, sources=(), *, options=ReportOptions(), scope="p1", seconds=60.0, **fields):  # noqa: B008 - frozen
    """The decoded answer to a minidump."""
    deadline = Deadline.after(seconds)
    return json.loads(engine.minidump(dump, options, sources, scope=scope, deadline=deadline, **fields))


def ask_apple(engine: Engine, report, sources=(), *, options=ReportOptions(), scope="p1", **fields):  # noqa: B008 - frozen
    """The decoded answer to an Apple crash report."""
    deadline = Deadline.after(60)
    return json.loads(engine.apple(report, options, sources, scope=scope, deadline=deadline, **fields))


def stacks(answer):
    return {stack["thread_id"]: stack for stack in answer["stacktraces"]}


def chains(stack):
    """The frames of a stack, those of one address together."""
    return [list(group) for _, group in groupby(stack["frames"], lambda frame: frame["original_index"])]


def as_walked(chain) -> int:
    """The address of a frame as it was found on the stack: what was symbolicated stands one byte earlier."""
    frame = chain[-1]
    moved = frame["status"] == "symbolicated" and frame["original_index"] > 0
    return int(frame["instruction_addr"], 16) + moved
