"""Processes that are forks, beside those that are programs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.service import ROOT, eventually


@pytest.fixture
def program(tmp_path):
    """Runs a piece of Python that forks, apart from the test's own threads."""

    def run(text, **options):
        head = (
            "import os, signal, sys, time\n"
            "from symbolsvc.running.forking import Fork\n"
            "from symbolsvc.running.supervisor import Supervisor\n"
        )
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-c", head + text], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return run


def said(process):
    return process.stdout.readline().strip()


def test_a_fork_ends_with_what_its_work_ended_with(program):
    process = program(
        "print(Fork('good', lambda: None, 1).launch().wait(20))\n"
        "print(Fork('bad', lambda: 1 / 0, 1).launch().wait(20))\n"
        "print(Fork('killed', lambda: os.kill(os.getpid(), signal.SIGKILL), 1).launch().wait(20))\n"
        "print(Fork('leaving', lambda: sys.exit(3), 1, leave=lambda: print('first')).launch().wait(20))\n"
    )
    out, errors = process.communicate(timeout=60)
    assert out.split() == ["0", "1", "-9", "first", "3"]
    assert "ZeroDivisionError" in errors


def test_waiting_for_a_fork_ends_in_time(program):
    process = program(
        "import subprocess\n"
        "fork = Fork('long', lambda: time.sleep(60), 1).launch()\n"
        "try:\n    fork.wait(0.05)\nexcept subprocess.TimeoutExpired:\n    print('in time')\n"
        "fork.terminate(); print(fork.wait(20)); fork.terminate()\n"
    )
    assert process.communicate(timeout=60)[0].split("\n")[:2] == ["in time", "-15"]


def test_a_signal_ends_a_fork_whose_parent_handles_it_otherwise(program):
    process = program(
        "with Supervisor() as supervisor:\n"
        "    fork = Fork('one', lambda: (print(os.getpid(), flush=True), time.sleep(60)), 1).launch()\n"
        "    print(fork.wait(60), flush=True)\n"
    )
    os.kill(int(said(process)), signal.SIGTERM)
    assert said(process) == "-15"
    assert process.wait(20) == 0


def test_forks_end_when_their_parent_is_killed(program):
    process = program(
        "fork = Fork('one', lambda: time.sleep(60), 1).launch()\nprint(fork.pid, flush=True)\nfork.wait()\n"
    )
    fork = int(said(process))
    process.kill()
    process.wait()
    eventually(lambda: not Path(f"/proc/{fork}/exe").exists(), 5)


def test_a_supervisor_forks_anew_what_ended_and_stops_all_in_good_order(program):
    process = program(
        "def work():\n    print('begun', os.getpid(), flush=True)\n    time.sleep(60)\n"
        "with Supervisor(who='jobs') as supervisor:\n"
        "    supervisor.start([Fork('worker', work, 5.0)])\n"
        "    supervisor.run()\n"
    )
    first = int(said(process).split()[1])
    os.kill(first, signal.SIGKILL)
    second = int(said(process).split()[1])
    assert second != first
    process.terminate()
    began = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - began < 20
    assert process.returncode == 0
    assert "[jobs] worker ended with status -9" in errors
    assert not Path(f"/proc/{second}/exe").exists()
