"""What gdb saw in the cores of seven real crashes is what the engine answers for their addresses.

No signal handler was entered in these stacks (that would be kind 4): the first address is where the thread stands, all
others are return addresses, which is what the heuristic assumes of a stack.
"""

from __future__ import annotations

from itertools import groupby

import pytest

from tests.engine.run.gdb_frames import CRASHES, OWN, assert_same_chain, own_files, physical, seen
from tests.engine.run.serving import ask, frames, http_source, serve_elf


@pytest.fixture
def crash(request, server):
    images = {name: serve_elf(server, data, name) for name, data in own_files(request.param).items()}
    return seen(request.param), images


def modules(known_modules, images):
    for name, place in known_modules.items():
        base, end = int(place["base"], 16), int(place["end"], 16)
        known = {"type": "elf", "code_file": place["path"], "image_addr": place["base"], "image_size": end - base}
        yield images[name].module(base, image_size=end - base) if name in images else known


@pytest.mark.parametrize("crash", CRASHES, indirect=True)
def test_every_thread_reads_as_in_gdb(crash, engine, server):
    theirs, images = crash
    stacks = [{"frames": [{"instruction_addr": chain[-1]["pc"]} for chain in physical(t)]} for t in theirs["threads"]]
    answer = ask(
        engine, {"stacktraces": stacks, "modules": list(modules(theirs["modules"], images))}, [http_source(server)]
    )
    compared = 0
    for at, thread in enumerate(theirs["threads"]):
        ours = {index: list(group) for index, group in groupby(frames(answer, at), lambda f: f["original_index"])}
        for index, chain in enumerate(physical(thread)):
            if chain[-1]["module"] not in OWN:
                continue
            assert_same_chain(ours[index], chain)
            compared += len(chain)
    assert compared > 15
