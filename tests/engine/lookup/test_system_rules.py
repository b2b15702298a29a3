"""The kept unwind rules of system libraries: found as those of a source, and covering every frame of the captures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.formats.cfi import CfiIndex
from engine.lookup import ModuleStatus, find_cficache
from engine.modules import DebugId, ModuleType, Wanted
from engine.outgoing import Deadline
from engine.sourcetypes.config import decode_sources
from engine.sourcetypes.registry import open_source
from tests.engine.lookup.conftest import KEY
from tests.engine.webserver import LOOPBACK
from tests.system_cfi import place_symbol_files, symbol_files

CRASHES = sorted((Path(__file__).parents[2] / "fixtures" / "crash").glob("*.json"))
DIRECTORY = "/usr/lib/x86_64-linux-gnu/"
IDS = {path.split("/")[0]: DebugId.parse(path.split("/")[1]) for path in symbol_files()}


@pytest.fixture
def rules(store, tmp_path):
    place_symbol_files(tmp_path / "symbols")
    [config] = decode_sources(
        [{"id": "system", "type": "filesystem", "path": str(tmp_path / "symbols"), "layout": {"type": "native"}}],
        operator=True,
    )
    source = open_source(config, owner="builtin", trust=LOOPBACK, digest_key=KEY)

    def find(name):
        wanted = Wanted(ModuleType.ELF, None, DIRECTORY + name, IDS[name], DIRECTORY + name)
        return find_cficache(wanted, [source], scope="p1", store=store, deadline=Deadline.after(60))

    return find


def frames_by_library():
    """The functions and relative addresses in system libraries that threads of the captured crashes stood at."""
    places: dict[str, set[tuple[str, int]]] = {}
    for crash in CRASHES:
        for thread in json.loads(crash.read_text())["threads"]:
            for number, frame in enumerate(thread["frames"]):
                name = "libstdc++.so.6" if frame["module"] == "libstdc++.so.6.0.30" else frame["module"]
                if name in IDS:
                    address = int(frame["module_offset"], 16) - bool(number)
                    places.setdefault(name, set()).add((frame["function"], address))
    return places


def test_every_frame_in_a_system_library_has_rules(rules):
    places = frames_by_library()
    assert {"libc.so.6", "libstdc++.so.6"} <= set(places)

    outermost = set()
    for name, frames in places.items():
        answer = rules(name)
        assert answer.status is ModuleStatus.FOUND
        index = CfiIndex.open(answer.path)
        assert all(index.covers(address) for _, address in frames)
        outermost |= {function for function, address in frames if ".ra:" not in index.cfi(address)[1]}
    # Where a thread begins: the library says that nobody called it.
    assert outermost == {"clone3"}


def test_every_kept_library_is_found_by_its_id(rules):
    assert [rules(name).status for name in sorted(IDS)] == [ModuleStatus.FOUND] * 5
