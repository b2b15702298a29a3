"""What gdb saw in the cores of seven real crashes is what the engine answers for their addresses.

gdb lists the functions inlined at an address innermost first, then the function they were inlined into; calls that the
compiler turned into jumps (kind 3) left no return address and cannot be seen from outside. No signal handler was
entered in these stacks (that would be kind 4): the first address is where the thread stands, all others are return
addresses, which is what the heuristic assumes of a stack.
"""

from __future__ import annotations

import gzip
import json
import re
from itertools import groupby

import pytest

from engine.native.signatures import flatten
from tests.engine.run.serving import FIXTURES, ask, frames, http_source, serve_elf

CRASHES = {
    "abrt-main-nofp": "nofp",
    "abrt-worker-fp": "fp",
    "fpe-main-dw4": "dw4",
    "fpe-worker-nofp": "nofp",
    "segv-worker-dw4": "dw4",
    "segv-worker-fp": "fp",
    "segv-worker-nofp": "nofp",
}
OWN = {"crashy", "libledger.so"}
INLINED, TAIL_CALL, SIGNAL = 2, 3, 4


def bare(function: str) -> str:
    """A function's qualified name without parameters, qualifiers and clone suffix."""
    function = re.sub(r" \[clone .*|\.(?:cold|part|isra|constprop|lto_priv)\b.*", "", function)
    cut = re.search(r"\0*(?: const)?\Z", flatten(function)).start()
    while cut < len(function) and function[cut] != "(":
        cut += 1
    name = function[:cut]
    return name + "()" if name.endswith("operator") else name


def last_component(function: str) -> str:
    bared = bare(function)
    return bared[flatten(bared).rfind("::") + 1 :].lstrip(":")


def same_function(ours: str, theirs: str, *, inlined: bool) -> bool:
    if theirs == "operator()":
        return bare(ours).endswith("operator()")
    if inlined:
        return re.sub(r"<.*", "", last_component(ours)) == re.sub(r"<.*", "", last_component(theirs))
    return bare(ours) == bare(theirs)


def physical(thread):
    """gdb's frames, those of one address together, tail calls left out."""
    chains, chain = [], []
    for frame in thread["frames"]:
        assert frame["kind"] != SIGNAL
        if frame["kind"] == TAIL_CALL:
            continue
        chain.append(frame)
        if frame["kind"] != INLINED:
            chains.append(chain)
            chain = []
    return chains


@pytest.fixture
def crash(request, server):
    name = request.param
    seen = json.loads((FIXTURES / f"crash/{name}.json").read_text())
    build = FIXTURES / "crash/builds" / CRASHES[name]
    images = {
        "libledger.so": serve_elf(server, (build / "libledger.so").read_bytes(), "libledger.so"),
        "crashy": serve_elf(server, gzip.decompress((build / "crashy.gz").read_bytes()), "crashy"),
    }
    return seen, images


def modules(seen, images):
    for name, place in seen["modules"].items():
        base, end = int(place["base"], 16), int(place["end"], 16)
        known = {"type": "elf", "code_file": place["path"], "image_addr": place["base"], "image_size": end - base}
        yield images[name].module(base, image_size=end - base) if name in images else known


@pytest.mark.parametrize("crash", CRASHES, indirect=True)
def test_every_thread_reads_as_in_gdb(crash, engine, server):
    seen, images = crash
    stacks = [{"frames": [{"instruction_addr": chain[-1]["pc"]} for chain in physical(t)]} for t in seen["threads"]]
    answer = ask(engine, {"stacktraces": stacks, "modules": list(modules(seen, images))}, [http_source(server)])
    compared = 0
    for at, thread in enumerate(seen["threads"]):
        ours = {index: list(group) for index, group in groupby(frames(answer, at), lambda f: f["original_index"])}
        for index, chain in enumerate(physical(thread)):
            if chain[-1]["module"] not in OWN:
                continue
            assert [frame["lineno"] for frame in ours[index]] == [frame["line"] for frame in chain]
            assert [frame["filename"] for frame in ours[index]] == [frame["file"].split("/")[-1] for frame in chain]
            for mine, theirs in zip(ours[index], chain, strict=True):
                assert same_function(mine["function"], theirs["function"], inlined=theirs["inlined"])
            compared += len(chain)
    assert compared > 15
