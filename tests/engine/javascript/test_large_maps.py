"""Maps of real packages, tens of megabytes large: bounded in memory at first, the cost of a lookup afterwards."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.npm import Unavailable, package
from bench.source_maps import FRAMES, PACKAGES, Files, ask, body, places
from tests.needed import lacking

ROOT = Path(__file__).parents[3]
# About ten times the map, and what Python and the library take without one.
MOST_BYTES = 900 << 20


@pytest.fixture(params=["echarts", "babel"])
def files(request):
    name, version, path = PACKAGES[request.param]
    try:
        return Files(package(name, version) / path)
    except Unavailable as reason:
        lacking(str(reason))


def test_the_second_request_costs_lookups(js, files):
    started = time.process_time()
    first = ask(js, files, body(places(files.script, 1)))
    cold = time.process_time() - started
    started = time.process_time()
    second = ask(js, files, body(places(files.script, 2)))
    warm = time.process_time() - started
    for answer in (first, second):
        assert answer.count(b'"symbolicated":true') > FRAMES // 2
    # Of the cold one the child's part is not even counted.
    assert warm < cold / 4


@pytest.mark.parametrize("files", ["babel"], indirect=True)
def test_a_process_that_builds_it_stays_within_bounds(files, tmp_path):
    """In a process of its own, since the peak of this one is that of all its tests."""
    program = (
        "import resource, sys; from pathlib import Path; from bench.source_maps import *;"
        "store = Store(Path(sys.argv[2])); files = Files(Path(sys.argv[1]));"
        "answer = ask(JavascriptEngine(store, Gate()), files, body(places(files.script, 1)));"
        "store.converter.close(); assert b'\"symbolicated\":true' in answer;"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    command = [sys.executable, "-c", program, files.script, tmp_path]
    peak = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True).stdout
    assert int(peak) << 10 < MOST_BYTES
