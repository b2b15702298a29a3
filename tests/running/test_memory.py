"""What threads needed once goes back to the system, while the process lives."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

# A dozen threads fill pools of their own, with something that stays every here and there, and end.
SCRIPT = """
import sys, threading, time
from symbolsvc.running import memory

def held():
    return int(next(line for line in open("/proc/self/smaps_rollup") if line.startswith("Pss_Anon")).split()[1])

def work():
    for _ in range(10):
        filled.append([bytes(40_000) for _ in range(20)])
        kept.append(bytes(3000))
    together.wait()

before, together, filled, kept = held(), threading.Barrier(12), [], []
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
filled.clear()
print(held() - before, flush=True)
memory.give_back(every=0.05)
until = time.monotonic() + 20
while held() - before > 4_000 and time.monotonic() < until:
    sum(range(200_000))
    time.sleep(0.01)
print(held() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_memory_of_threads_that_ended_goes_back_to_the_system():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=True)
    before, after = map(int, done.stdout.split())
    assert before > 10_000, "nothing was held, so that nothing was shown"
    assert after < 5_000
