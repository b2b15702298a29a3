"""What gdb saw in the cores of seven real crashes, and how its frames compare to ours.

gdb lists the functions inlined at an address innermost first, then the function they were inlined into; calls that the
compiler turned into jumps (kind 3) left no return address and cannot be seen from outside.
"""

from __future__ import annotations

import gzip
import json
import re

from engine.native.signatures import flatten
from tests.engine.run.serving import FIXTURES

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


def seen(crash: str):
    """What gdb saw of one crash: modules and threads."""
    return json.loads((FIXTURES / f"crash/{crash}.json").read_text())


def own_files(crash: str) -> dict[str, bytes]:
    """The program's own files of the build that crashed, by name."""
    build = FIXTURES / "crash/builds" / CRASHES[crash]
    return {
        "libledger.so": (build / "libledger.so").read_bytes(),
        "crashy": gzip.decompress((build / "crashy.gz").read_bytes()),
    }


def assert_same_chain(ours, theirs):
    """The frames at one address: lines, files and functions."""
    assert [frame["lineno"] for frame in ours] == [frame["line"] for frame in theirs]
    assert [frame["filename"] for frame in ours] == [frame["file"].split("/")[-1] for frame in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert same_function(mine["function"], other["function"], inlined=other["inlined"])
