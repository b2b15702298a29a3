"""Native requests with 10, 100 and 1,000 modules, each of which has its own file and four frames."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

from bench.stack_walker import breakpad_place
from engine.lookup import Store
from engine.outgoing import Deadline, Trust
from engine.run import Engine, Gate, decode_request
from engine.sourcetypes.base import Source
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source

COUNTS = (10, 100, 1000)
FRAMES = 4
_SPACE = uuid5(NAMESPACE_DNS, "modules.bench.test")
_REPEATS = {10: 30, 100: 5, 1000: 1}


def per_module(rounds: int) -> dict[int, list[float]]:
    """Milliseconds of processor time for a module, by how many there are; everything is warm."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        _lay_out(directory / "served")
        config = {"id": "bench", "type": "filesystem", "path": str(directory / "served")}
        source = open_source(
            decode_sources([config], operator=True)[0], owner="builtin", trust=Trust.ALL, digest_key=b"bench"
        )
        engine = Engine(Store(directory / "cache"), Gate())
        bodies = {count: _body(count) for count in COUNTS}
        for body in bodies.values():
            _answered(engine, source, body)
        figures: dict[int, list[float]] = {count: [] for count in COUNTS}
        for _ in range(rounds):
            for count, body in bodies.items():
                figures[count].append(_timed(engine, source, body, _REPEATS[count]) / count)
        return figures


def _timed(engine: Engine, source: Source, body: bytes, repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        _symbolicate(engine, source, body)
    return (time.process_time() - began) / repeats * 1e3


def _symbolicate(engine: Engine, source: Source, body: bytes) -> bytes:
    return engine.symbolicate(decode_request(body), [source], scope="bench", deadline=Deadline.after(600))


def _answered(engine: Engine, source: Source, body: bytes) -> None:
    frames = json.loads(_symbolicate(engine, source, body))["stacktraces"][0]["frames"]
    assert all(frame["status"] == "symbolicated" for frame in frames), "a frame has no name"


def _lay_out(directory: Path) -> None:
    for number in range(max(COUNTS)):
        functions = "".join(f"FUNC {0x1000 + at * 0x100:x} 100 0 part{number}::f{at}()\n" for at in range(FRAMES))
        identifier = f"{_identifier(number).replace('-', '').upper()}0"
        text = f"MODULE Linux x86_64 {identifier} lib{number}.so\n{functions}".encode()
        place = directory / breakpad_place(text)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)


def _body(count: int) -> bytes:
    modules = [
        {
            "type": "elf",
            "debug_id": _identifier(number),
            "debug_file": f"lib{number}.so",
            "code_file": f"/opt/app/lib{number}.so",
            "image_addr": hex(0x7F0000000000 + number * 0x10000),
            "image_size": 0x8000,
        }
        for number in range(count)
    ]
    frames = [
        {"instruction_addr": hex(0x7F0000000000 + number * 0x10000 + 0x1010 + at * 0x100)}
        for at in range(FRAMES)
        for number in range(count)
    ]
    return json.dumps({"modules": modules, "stacktraces": [{"frames": frames}]}).encode()


def _identifier(number: int) -> str:
    return str(uuid5(_SPACE, str(number)))
