"""`make demo` as a newcomer meets it, in a directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXPECTED = (
    "inl_touch (inlined)",
    "ledger::(anonymous namespace)::leaf_post",
    "ledger::(anonymous namespace)::Walk<0>::down",
    "ledger.cpp:42",
    "shop::serve_request",
    "main.cpp:29",
)


@pytest.mark.e2e
def test_the_demo_names_the_frames_of_a_real_crash_and_says_what_it_lacks(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SYMBOLSVC_DATA_DIR"}
    }
    done = subprocess.run(
        [sys.executable, "-m", "symbolsvc.demo", "--once", "--port", "0", "--data-dir", str(tmp_path / "data")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    for words in EXPECTED:
        assert words in done.stdout
    assert "? in libc.so.6 (missing)" in done.stdout
    assert "/docs/" in done.stdout
    assert done.stdout.count("curl -H 'Authorization: Bearer ") == 3
    _, _, minidump = done.stdout.partition("The minidump of that crash")
    assert "SIGSEGV / SEGV_MAPERR / 0x10" in minidump
    assert "Thread 31818 crashed" in minidump
    assert "0  context  inl_touch (inlined)  ledger.cpp:15  [libledger.so]" in minidump
    assert "8  cfi      shop::serve_request(ledger::Book const&, int)  main.cpp:29  [crashy]" in minidump
    assert minidump.count("\nThread ") == 5
